// npm run fuzz [-- TEST FILE ... | vitest options]: 10,000 cases of every property (DLLM_FUZZ_RUNS: another number), file by file
// and in pieces of a thousand, each with draws of its own. Goes on where it stopped: .fuzz.json says which pieces of this code
// passed. Files or options that are named are run at once, in one piece, and nothing is kept.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STATE = '.fuzz.json';
const PIECE = 1000;

/** What draws its cases at random: a piece more is as many cases more. */
const DRAWN = [
  ...['decode-equivalence', 'decode-exact', 'decode-laws', 'decode-sampling', 'replay'].map((name) => `test/properties/${name}.test.ts`),
  ...['sim-conservation', 'sim-kernels', 'sim-memory', 'sim-time'].map((name) => `test/properties/${name}.test.ts`),
  ...['damaged-files', 'damaged-models', 'damaged-onnx', 'damaged-outputs', 'weight-files'].map((name) => `test/properties/${name}.test.ts`),
  ...['sentencepiece', 'tokenizer'].map((name) => `test/properties/${name}.test.ts`),
  ...['plain-decoder', 'plain-passes'].map((name) => `test/oracle/${name}.test.ts`),
  ...['check-laws', 'self-speculation'].map((name) => `test/decode/${name}.test.ts`),
  'test/engine/verify-policy.test.ts',
  'test/hw/torch-checkpoint.test.ts',
  'test/model/blocks.test.ts',
];
/** What numbers its cases, or has as many as it has: another piece would try the same again. */
const NUMBERED = [
  ...['conversion', 'engines-decode', 'gguf-keys', 'libllama', 'self-speculation-ggml'].map((name) => `test/properties/${name}.test.ts`),
  'test/oracle/libllama-decoder.test.ts',
  ...['formats', 'smollm2', 'tiny-dual'].map((name) => `test/engine/${name}.test.ts`),
  'test/hw/adb/runner.test.ts',
  'test/hw/qnn/genuine.test.ts',
  'test/sim/calibration/calibrate.test.ts',
];

/** All of what may change what a test finds. */
function codeHash() {
  const hash = createHash('sha256');
  for (const folder of ['src', 'sim', 'hw', 'experiments', 'cli', 'test', 'models']) {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      const path = join(folder, name);
      if (statSync(path).isFile()) hash.update(path).update(readFileSync(path));
    }
  }
  return hash.digest('hex');
}

function pieces(runs) {
  const count = Math.ceil(runs / PIECE);
  const drawn = Array.from({ length: count }, (_, at) => DRAWN.map((file) => ({ name: `${file} ${at + 1}/${count}`, file, runs: Math.min(PIECE, runs - at * PIECE) })));
  return [...NUMBERED.map((file) => ({ name: file, file, runs })), ...drawn.flat()];
}

/**
 * @param vitest runs it with these arguments and this environment, and returns its exit status
 * @returns exit status: 1 when a piece failed
 */
export function fuzz(args, vitest) {
  const runs = Number(process.env.DLLM_FUZZ_RUNS ?? 10_000);
  if (!Number.isInteger(runs) || runs < 1) {
    console.error(`DLLM_FUZZ_RUNS is a whole number of cases, not ${process.env.DLLM_FUZZ_RUNS}`);
    return 2;
  }
  const run = (rest, count) => vitest(['run', '--testTimeout=3600000', ...rest], { DLLM_FUZZ_RUNS: String(count) });
  if (args.length > 0) return run(args.some((arg) => arg.startsWith('test/')) ? args : [...DRAWN, ...NUMBERED, ...args], runs);
  const code = codeHash();
  const known = existsSync(STATE) ? JSON.parse(readFileSync(STATE, 'utf8')) : { code, runs, passed: {} };
  const goesOn = known.code === code && known.runs === runs;
  const passed = goesOn ? known.passed : {};
  if (!goesOn) console.error('the code or the number of cases is another than when fuzzing stopped: it begins anew');
  const failed = [];
  const todo = pieces(runs);
  for (const [at, { name, file, runs: count }] of todo.entries()) {
    if (passed[name] !== undefined) continue;
    console.error(`\npiece ${at + 1} of ${todo.length}: ${name}, ${count} cases of each property`);
    const startedMs = Date.now();
    const status = run([file], count);
    // Ctrl-C ends it; the piece is run again next time.
    if (status === 130) return status;
    if (status !== 0) failed.push(name);
    else passed[name] = { seconds: Math.round((Date.now() - startedMs) / 1000) };
    writeFileSync(STATE, `${JSON.stringify({ code, runs, passed }, null, 1)}\n`);
  }
  console.log(`${Object.keys(passed).length} of ${todo.length} pieces passed${failed.length > 0 ? `; failed: ${failed.join(', ')}` : ''}`);
  if (failed.length === 0) rmSync(STATE, { force: true });
  return failed.length > 0 ? 1 : 0;
}
