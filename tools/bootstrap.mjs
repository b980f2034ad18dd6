// Makes every npm script work as the very first command after a clone: installs what the lock file names,
// builds, then runs the task. Node builtins only.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fuzz } from './fuzz.mjs';
import { slowFiles } from './slow-files.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [task, ...args] = process.argv.slice(2);

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`dllm-npu needs Node 20 or newer; this is ${process.version}.`);
  process.exit(3);
}

function run(command, commandArgs, options = {}) {
  // On Windows npm is a .cmd file, which needs a shell; everything else is run by path.
  const shell = process.platform === 'win32' && command === 'npm';
  const result = spawnSync(command, commandArgs, { cwd: root, stdio: 'inherit', shell, ...options });
  if (result.error) throw result.error;
  if (result.signal) process.kill(process.pid, result.signal);
  return result.status ?? 1;
}

function must(command, commandArgs, options) {
  const status = run(command, commandArgs, options);
  if (status !== 0) process.exit(status);
}

const bin = (name) => join(root, 'node_modules', ...name.split('/'));

function install() {
  const stamp = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs) return;
  console.error('installing dependencies (npm ci) ...');
  // No package needs its install script: koffi and onnxruntime-node ship what they would build or fetch.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  must('npm', ['ci', '--ignore-scripts', ...quiet], { stdio: ['ignore', 2, 2] });
}

/** @param more options of the compiler */
function build(...more) {
  must(process.execPath, [bin('typescript/bin/tsc'), '-p', 'tsconfig.build.json', ...more], {
    stdio: ['ignore', 2, 2],
  });
}

function vitest(vitestArgs, env = {}) {
  const out = mkdtempSync(join(tmpdir(), 'dllm-npu-test-'));
  const json = join(out, 'results.json');
  const status = run(
    process.execPath,
    [
      bin('vitest/vitest.mjs'),
      ...vitestArgs,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${json}`,
    ],
    { env: { ...process.env, ...env } },
  );
  if (existsSync(json)) {
    const r = JSON.parse(readFileSync(json, 'utf8'));
    for (const line of slowFiles(r, root)) console.log(line);
    const skipped = r.numPendingTests + r.numTodoTests;
    console.log(
      `${r.numPassedTests} passed, ${r.numFailedTests} failed${skipped ? `, ${skipped} skipped` : ''}`,
    );
  }
  rmSync(out, { recursive: true, force: true });
  return status;
}

const tasks = {
  start: () =>
    run(process.execPath, [join(root, 'dist/cli/main.js'), ...(args.length > 0 ? args : ['ablate'])]),
  test: () => {
    if (args.length > 0) build();
    else {
      must(process.execPath, [bin('typescript/bin/tsc'), '-p', 'tsconfig.json', '--noEmit']);
      must(process.execPath, [bin('typescript/bin/tsc'), '-p', 'explorer/tsconfig.json']);
      must(process.execPath, [bin('@biomejs/biome/bin/biome'), 'check', '.']);
      // Its types were checked just now, with those of the tests.
      build('--noCheck');
    }
    return vitest(['run', ...args]);
  },
  fuzz: () => fuzz(args, vitest),
  // A package holds a fresh build: what was compiled once and removed since must not be in it.
  prepack: () => {
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    build();
    return run(process.execPath, [join(root, 'tools/explorer/build.mjs')]);
  },
  explorer: () => run(process.execPath, [join(root, 'tools/explorer/build.mjs'), ...args]),
  'explorer-measure': () => run(process.execPath, [join(root, 'tools/explorer/measure.mjs'), ...args]),
  'explorer-leak': () => run(process.execPath, [join(root, 'tools/explorer/leak.mjs'), ...args]),
  docs: () => run(process.execPath, [join(root, 'tools/docs/build.mjs'), ...args]),
  figures: () => run(process.execPath, [join(root, 'tools/figures-sheet.mjs'), ...args]),
  perfetto: () => run(process.execPath, [join(root, 'tools/perfetto-ui.mjs'), ...args]),
  stress: () => run(process.execPath, [join(root, 'tools/stress/run.mjs'), ...args]),
  mutate: () => run(process.execPath, [join(root, 'tools/mutate/run.mjs'), ...args]),
  bench: () => run(process.execPath, [bin('vitest/vitest.mjs'), 'bench', '--run', ...args]),
};

if (!tasks[task]) {
  console.error(`unknown task ${task}; one of ${Object.keys(tasks).join(', ')}`);
  process.exit(2);
}
install();
if (task !== 'prepack' && task !== 'test') build();
process.exit(tasks[task]());
