// npm run stress [-- --kills N] [-- --only NAME]: the built program under kill -9, full and locked disks, closed pipes, a clock
// that goes back, two processes on one folder, SIGSTOP, workers that die or hang. Prints one line for each; fails when one broke a
// promise. Ctrl-C ends it after the kill that it is at, and what was tried until then is printed; --seed N tries other moments.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const MAIN = join(root, 'dist/cli/main.js');
const { values } = parseArgs({ options: { kills: { type: 'string', default: '10' }, only: { type: 'string' }, seed: { type: 'string', default: '1' } } });
const KILLS = Number(values.kills);
const place = mkdtempSync(join(tmpdir(), 'dllm-stress-'));

/** Numbers in [0, 1), the same for a seed (mulberry32). */
let state = Number(values.seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

const sweep = join(place, 'sweep.json');
writeFileSync(sweep, JSON.stringify({ schema: 'dllm-npu/sweep@1', kind: 'step', base: { costModel: 'tinyllama-1.1b' }, axes: { rows: { from: 1, to: 30 }, memory: ['somr', 'unlimited'] } }));
const summary = join(root, 'results/reference/ablation/summary.json');
const short = ['--gen-length', '32', '--jobs', '1'];

/** Command lines that write below a folder. */
const COMMANDS = {
  sweep: (at) => ['sweep', sweep, '--results', at, '--jobs', '2'],
  quality: (at) => ['quality', '--n', '2', '--policies', 'block-kv,threshold', ...short, '--results', at, '--out', join(at, 'table.json')],
  ablate: (at) => ['ablate', '--cases', '1', '--verify-every', '16', ...short, '--results', at, '--out', join(at, 'out')],
  tune: (at) => ['tune', '--candidates', '1', '--screen', '1', '--confirm', '1', '--finalists', '1', '--jobs', '1', '--results', at, '--out', join(at, 'out')],
  convert: (at) => ['convert', 'tiny-llada', join(at, 'model.gguf'), '--quant', 'q8_0'],
  synth: (at) => ['synth', '--arch', 'llada', '--preset', 'tiny', join(at, 'model.gguf')],
  report: (at) => ['report', join(at, 'summary.json')],
};

function folder(name) {
  const at = mkdtempSync(join(place, `${name}-`));
  if (name === 'report') copyFileSync(summary, join(at, 'summary.json'));
  return at;
}

function start(args, options = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'], cwd: place, ...options });
  child.said = '';
  child.stderr?.on('data', (text) => {
    child.said += text;
  });
  child.ended = new Promise((done) => child.once('close', (code, signal) => done({ code, signal, said: child.said })));
  return child;
}

/** Files that a reader would see, with their content; where and when runs were made is no part of a result. */
function seen(at) {
  const files = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(at, name)).isFile());
  const shown = files.filter((name) => !name.endsWith('.tmp') && basename(name) !== 'index.jsonl');
  return new Map(shown.sort().map((name) => [name, digest(readFileSync(join(at, name)), at)]));
}
// A command line in a file names its own folder.
const digest = (bytes, at) => createHash('sha256').update(bytes.toString('latin1').replaceAll(at, 'AT')).digest('hex');
const stamps = (at) => new Map([...seen(at).keys()].filter((name) => name.startsWith('runs/')).map((name) => [name, `${statSync(join(at, name)).ino} ${statSync(join(at, name)).mtimeMs}`]));
const equal = (a, b) => JSON.stringify([...a]) === JSON.stringify([...b]);
const leftovers = (at) => readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.tmp')).length;

let stopping = false;
process.on('SIGINT', () => {
  stopping = true;
});

const faults = [];
const rows = [];
function promise(what, holds) {
  if (!holds) faults.push(what);
}
function said(name, text) {
  rows.push([name, text]);
  console.log(`${name}: ${text}`);
}

const references = new Map();
async function reference(name) {
  if (!references.has(name)) {
    const at = folder(name);
    const startedMs = performance.now();
    const { code, said: text } = await start(COMMANDS[name](at)).ended;
    if (code !== 0) throw new Error(`${name} fails undisturbed: ${text}`);
    references.set(name, { files: seen(at), ms: performance.now() - startedMs });
  }
  return references.get(name);
}

/** Kills at random moments, looks at what is there, and lets the command run again. */
async function kills(name) {
  const whole = await reference(name);
  const before = faults.length;
  let killed = 0;
  let kept = 0;
  let temporary = 0;
  let tries = 0;
  for (; tries < KILLS && !stopping; tries++) {
    const at = folder(name);
    const child = start(COMMANDS[name](at));
    await Promise.race([sleep(random() * whole.ms), child.ended]);
    child.kill('SIGKILL');
    if ((await child.ended).signal === 'SIGKILL') killed++;
    for (const [file, hash] of seen(at)) promise(`${name}: ${file} is half written after a kill`, whole.files.get(file) === hash);
    const made = stamps(at);
    kept += made.size;
    temporary += leftovers(at);
    const { code, said: text } = await start(COMMANDS[name](at)).ended;
    promise(`${name}: does not go on after a kill: ${text}`, code === 0);
    promise(`${name}: other files after a kill than without`, equal(seen(at), whole.files));
    const now = stamps(at);
    for (const [file, stamp] of made) promise(`${name}: ${file} was made twice`, now.get(file) === stamp);
    rmSync(at, { recursive: true });
  }
  said(`kill -9, ${name}`, `${killed} of ${tries} hit; ${kept} runs kept, none made twice; ${temporary} temporary files left; ${faults.length - before} promises broken`);
}

/** A command must end with an exit code and one clear line, and show no half file. */
async function refused(what, name, at, options) {
  const { code, said: text } = await start(COMMANDS[name](at), options).ended;
  const clear = code === 3 && !/\n\s+at /.test(text) && text.trim().length > 0;
  promise(`${what}, ${name}: exit ${code}: ${text.slice(0, 200)}`, clear);
  said(`${what}, ${name}`, `exit ${code}: ${text.trim().split('\n').at(-1)?.replaceAll(place, '').slice(0, 110)}`);
}

async function mounted(size, mode, body) {
  const at = mkdtempSync(join(place, 'mount-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},${mode}`, 'tmpfs', at]);
  if (status !== 0) return said(`${mode} file system of ${size}`, 'skipped: mounting takes root');
  try {
    await body(at);
  } finally {
    spawnSync('umount', [at]);
  }
}

const CASES = {
  ...Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, () => kills(name)])),
  full: () =>
    mounted('128k', 'rw', async (at) => {
      await refused('disk full', 'sweep', join(at, 'a'));
      const whole = await reference('sweep');
      for (const [file, hash] of seen(at)) promise(`disk full: ${file} is half written`, whole.files.get(relative('a', file)) === hash || statSync(join(at, file)).size === 0 || file.includes('sweep'));
      await refused('disk full', 'convert', at);
      promise('disk full: half a model is left', !existsSync(join(at, 'model.gguf')));
    }),
  'read-only': () =>
    mounted('1m', 'ro', async (at) => {
      for (const name of ['sweep', 'convert', 'quality', 'ablate']) await refused('read-only', name, at);
    }),
  permission: async () => {
    if (process.getuid?.() !== 0) return said('no permission', 'skipped: becoming another user takes root');
    const at = folder('locked');
    chmodSync(place, 0o755);
    chmodSync(at, 0o555);
    for (const name of ['sweep', 'convert', 'quality']) await refused('no permission', name, at, { uid: 65534, gid: 65534 });
  },
  pipe: async () => {
    for (const args of [['policies'], ['hardware', 'show', 'sm8750', '--json'], ['help', 'sweep']]) {
      const child = start(args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stdout.once('data', () => child.stdout.destroy());
      const { code, said: text } = await child.ended;
      promise(`closed pipe: ${args.join(' ')}: exit ${code}: ${text}`, [0, 3].includes(code) && !/\n\s+at /.test(text));
      said(`closed pipe, ${args.join(' ')}`, `exit ${code}`);
    }
  },
  clock: async () => {
    const back = join(place, 'clock.mjs');
    writeFileSync(back, 'const now = Date.now; let by = 0; Date.now = () => now() - (by += 1000);');
    for (const name of ['sweep', 'quality']) {
      const at = folder(name);
      const { code, said: text } = await start(COMMANDS[name](at), { env: { ...process.env, NODE_OPTIONS: `--import ${back}` } }).ended;
      promise(`clock going back: ${name}: ${text}`, code === 0 && equal(seen(at), (await reference(name)).files));
      said(`clock going back, ${name}`, `exit ${code}, same files`);
    }
  },
  together: async () => {
    for (const name of ['sweep', 'quality']) {
      const at = folder(name);
      const ends = await Promise.all([start(COMMANDS[name](at)).ended, start(COMMANDS[name](at)).ended]);
      const lines = readFileSync(join(at, 'runs/index.jsonl'), 'utf8').trim().split('\n');
      for (const line of lines) JSON.parse(line);
      promise(`two processes: ${name}`, ends.every(({ code }) => code === 0) && equal(seen(at), (await reference(name)).files));
      said(`two processes on one folder, ${name}`, `exit ${ends.map(({ code }) => code).join(' and ')}, same files`);
    }
  },
  stopped: async () => {
    for (const name of ['sweep', 'quality']) {
      const at = folder(name);
      const whole = await reference(name);
      const child = start(COMMANDS[name](at));
      await sleep(whole.ms / 2);
      child.kill('SIGSTOP');
      await sleep(1500);
      child.kill('SIGCONT');
      const { code } = await child.ended;
      promise(`SIGSTOP: ${name}: exit ${code}`, code === 0 && equal(seen(at), whole.files));
      said(`SIGSTOP and SIGCONT, ${name}`, `exit ${code}, same files`);
    }
  },
};

/** Processes that a process started. */
const childrenOf = (pid) => spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).stdout.trim().split(/\s+/).filter((one) => one !== '').map(Number);

/** `quality` on worker processes, with one of them at work. */
async function atWork(name) {
  const at = folder(name);
  const args = [...COMMANDS.quality(at), '--engine', 'ort', '--jobs', '2'];
  const child = start(args);
  let workers = [];
  while (child.exitCode === null && (workers = childrenOf(child.pid)).length < 2) await sleep(20);
  await sleep(300);
  return { at, args, child, worker: workers[0] };
}

CASES.worker = async () => {
  const { at, args, child, worker } = await atWork('worker');
  if (worker === undefined) return said('a worker that dies', 'skipped: no worker processes, is onnxruntime-node there?');
  process.kill(worker, 'SIGKILL');
  const { code, said: text } = await child.ended;
  const made = stamps(at);
  promise(`a worker that dies: exit ${code}: ${text.slice(-300)}`, code !== 0 && /worker process ended/.test(text) && !/\n\s+at /.test(text));
  const again = await start(args).ended;
  promise(`a worker that dies: does not go on: ${again.said}`, again.code === 0);
  const now = stamps(at);
  for (const [file, stamp] of made) promise(`a worker that dies: ${file} was made twice`, now.get(file) === stamp);
  said('a worker that dies', `exit ${code}; ${made.size} runs kept, none made twice; the next call ends with ${again.code}`);
};
CASES.hung = async () => {
  const { at, args, child, worker } = await atWork('hung');
  if (worker === undefined) return said('a worker that hangs', 'skipped: no worker processes, is onnxruntime-node there?');
  process.kill(worker, 'SIGSTOP');
  await sleep(1000);
  child.kill('SIGINT');
  const ended = await Promise.race([child.ended, sleep(30_000)]);
  promise('a worker that hangs: the program does not end at Ctrl-C', ended !== undefined);
  const left = childrenOf(child.pid).length;
  let gone = true;
  try {
    process.kill(worker, 'SIGKILL');
    gone = false;
  } catch {}
  child.kill('SIGKILL');
  promise('a worker that hangs: it outlives the program', gone && left === 0);
  const again = await start(args).ended;
  promise(`a worker that hangs: does not go on: ${again.said}`, again.code === 0);
  said('a worker that hangs', `Ctrl-C ends it with ${ended?.code}; the worker is ${gone ? 'gone' : 'still there'}; the next call ends with ${again.code}`);
};

mkdirSync(place, { recursive: true });
const chosen = values.only === undefined ? Object.keys(CASES) : values.only.split(',');
try {
  for (const name of chosen) await CASES[name]();
} finally {
  rmSync(place, { recursive: true, force: true });
}
for (const fault of faults) console.error(`BROKEN ${fault}`);
process.exit(faults.length > 0 ? 1 : 0);
