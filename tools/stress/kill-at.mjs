// Loaded before the program (NODE_OPTIONS=--import). Counts what it does to files and, where DLLM_KILL_AT says so
// (`NUMBER before|half|after`), kills it with SIGKILL at that operation: before it, with half of its bytes written, or
// after it. DLLM_KILL_COUNT names a file that gets the number of operations of a whole life.
import fs from 'node:fs';
import { open } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const [at, how] = (process.env.DLLM_KILL_AT ?? '0 before').split(' ');
let done = 0;

const die = () => {
  process.kill(process.pid, 'SIGKILL');
  // A signal to oneself may come a moment later; nothing more is done until it does.
  for (;;);
};

/** One operation: `half` does a part of it, where it has parts. */
function operation(whole, half) {
  done++;
  if (done !== Number(at)) return whole();
  if (how === 'half') half?.();
  if (how === 'after') whole();
  return die();
}

const writes = (flags) => flags !== undefined && flags !== 'r' && flags !== fs.constants.O_RDONLY;

for (const name of ['renameSync', 'mkdirSync', 'rmSync', 'unlinkSync', 'copyFileSync', 'fsyncSync', 'appendFileSync', 'writeFileSync']) {
  const call = fs[name];
  fs[name] = (...args) => operation(() => call(...args));
}
const { openSync, writeSync } = fs;
fs.openSync = (path, flags, ...rest) => (writes(flags) ? operation(() => openSync(path, flags, ...rest)) : openSync(path, flags, ...rest));
fs.writeSync = (file, data, ...rest) => {
  // Standard output and error are no files of the run.
  if (file <= 2) return writeSync(file, data, ...rest);
  return operation(
    () => writeSync(file, data, ...rest),
    () => writeHalf(file, data, rest),
  );
};
for (const name of ['rename', 'rm', 'mkdir']) {
  const call = fs.promises[name];
  fs.promises[name] = (...args) => operation(() => call(...args));
}
const handle = await open(process.execPath, 'r');
const { prototype } = handle.constructor;
await handle.close();
for (const name of ['write', 'writeFile', 'sync']) {
  const call = prototype[name];
  prototype[name] = function counted(...args) {
    const half = name === 'sync' ? undefined : () => writeHalf(this.fd, args[0], args.slice(1));
    return operation(() => call.apply(this, args), half);
  };
}

/** @param rest offset, length and position, as `fs.writeSync` takes them; of a text, nothing */
function writeHalf(file, data, [offset = 0, length, position]) {
  if (typeof data === 'string') return writeSync(file, data.slice(0, data.length >> 1));
  return writeSync(file, data, offset, (length ?? data.byteLength - offset) >> 1, position);
}

syncBuiltinESMExports();

if (process.env.DLLM_KILL_COUNT !== undefined && isMainThread) {
  process.on('exit', () => {
    const file = openSync(process.env.DLLM_KILL_COUNT, 'w');
    writeSync(file, String(done));
  });
}
