// npm run stress [-- --kills N] [-- --only NAME]: the built program under kill -9, full and locked disks, closed pipes, a clock
// that goes back, two processes on one folder, SIGSTOP, workers that die or hang. Prints one line for each; fails when one broke a
// promise. Ctrl-C ends it after the kill that it is at, and what was tried until then is printed; --seed N tries other moments.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { kills } from './kills.mjs';
import { broken, COMMANDS, equal, folder, place, promise, reference, said, seen, stamps, start } from './program.mjs';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '10' }, only: { type: 'string' }, seed: { type: 'string', default: '1' } } });
const KILLS = Number(values.kills);

/** Numbers in [0, 1), the same for a seed (mulberry32). */
let state = Number(values.seed);
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

let stopping = false;
process.on('SIGINT', () => {
  stopping = true;
});

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
  ...Object.fromEntries(Object.keys(COMMANDS).map((name) => [name, () => kills(name, KILLS, random, () => stopping)])),
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

const chosen = values.only === undefined ? Object.keys(CASES) : values.only.split(',');
try {
  for (const name of chosen) await CASES[name]();
} finally {
  rmSync(place, { recursive: true, force: true });
}
for (const fault of broken()) console.error(`BROKEN ${fault}`);
process.exit(broken().length > 0 ? 1 : 0);
