// npm run mutate [-- ROOM|FILE ...]: plants faults in the code, one at a time, and runs the tests of its room.
// npm run mutate -- --sample N [--seed S] [ROOM ...]: faults drawn from the files that were never mutated whole.
// Both take --again: only those that no test had noticed (of whole files, what has changed since is planted anew), and --warm: nothing
// is tried alone, which takes most of the time: what is found to be noticed is, what is not may be, so that the share is a lower bound.
// npm run mutate -- --promises [WORD]: breaks every promise of promises.json once (promises.mjs).
// Writes results/reference/mutation. Goes on where it stopped: what neither code nor tests changed is not run again.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
process.chdir(root);
const { values, positionals } = parseArgs({ allowPositionals: true, options: { sample: { type: 'string' }, seed: { type: 'string' }, again: { type: 'boolean' }, warm: { type: 'boolean' }, promises: { type: 'boolean' } } });

function install() {
  const stamp = join(here, 'node_modules', '.package-lock.json');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return;
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: here, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(3);
}

function refuse(message) {
  console.error(message);
  process.exit(2);
}

/** A whole number that was asked for by an option. */
function natural(option, text, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) refuse(`--${option} takes a whole number of at least ${least}, not ${text}`);
  return value;
}

install();
const { ROOMS, roomOf } = await import('./rooms.mjs');

/** What to run: rooms whole, or a file of one. */
function wanted(names) {
  return (names.length === 0 ? Object.keys(ROOMS) : names).map((name) => {
    if (Object.hasOwn(ROOMS, name)) return roomOf(name);
    const file = relative(root, join(root, name));
    const of = Object.keys(ROOMS).map(roomOf).find(({ sources }) => sources.includes(file));
    if (of === undefined) refuse(`${name} is no room or file that is mutated; there are: ${Object.keys(ROOMS).join(', ')}`);
    return { ...of, sources: [file] };
  });
}

if (values.promises) {
  const { tryPromises } = await import('./promises.mjs');
  process.exit((await tryPromises(positionals[0])) ? 0 : 1);
}
if (values.sample === undefined && values.seed !== undefined) refuse('--seed goes with --sample N');
const { warm = false, again = false } = values;
const todo = wanted(positionals).map((room) => ({ ...room, warm }));
if (values.sample === undefined) {
  const [{ leftOf, record, recordAgain }, { plant }] = await Promise.all([import('./report.mjs'), import('./plant.mjs')]);
  for (const room of todo) {
    if (!again) record(room, await plant(room));
    else recordAgain(room, await plant({ ...room, keys: await leftOf(room) }));
  }
} else {
  const { runSample } = await import('./sample.mjs');
  await runSample({ todo, size: natural('sample', values.sample, 1), seed: natural('seed', values.seed ?? '1', 0), again, warm });
}
