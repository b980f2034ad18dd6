// npm run mutate [-- ROOM|PART|FILE ...]: plants faults in the code, one at a time, and runs the tests of its room.
// npm run mutate -- --sample N [--seed S] [ROOM|PART ...]: faults drawn from the files that were never mutated whole;
// with --again, those of that sample that no test had noticed.
// npm run mutate -- --promises [WORD]: breaks every promise of promises.json once (promises.mjs).
// Writes results/reference/mutation. Goes on where it stopped: what neither code nor tests changed is not run again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { notRun, record } from './report.mjs';
import { PARTS } from './rooms.mjs';
import { base } from './stryker.config.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
process.chdir(root);
const { values, positionals } = parseArgs({ allowPositionals: true, options: { sample: { type: 'string' }, seed: { type: 'string' }, again: { type: 'boolean' }, promises: { type: 'boolean' } } });

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

/** What to run: parts whole, or the files of a part that were named. */
function wanted(names) {
  if (names.length === 0) return PARTS;
  return names.flatMap((name) => {
    const named = PARTS.filter(({ room, part }) => name === room || name === part);
    if (named.length > 0) return named;
    const file = relative(root, join(root, name));
    const of = PARTS.find(({ mutate }) => globSync(mutate).includes(file));
    if (of === undefined || !existsSync(file)) {
      const known = PARTS.map(({ room, part }) => (room === part ? room : `${room} ${part}`));
      refuse(`${name} is no room, part or file that is mutated; there are: ${known.join(', ')}`);
    }
    return [{ ...of, mutate: [file] }];
  });
}

/** A whole number that was asked for by an option. */
function natural(option, text, least) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) refuse(`--${option} takes a whole number of at least ${least}, not ${text}`);
  return value;
}

/** Plants the faults of one part. @returns the seconds that it took */
async function plant({ room, part, tests, mutate, isolate }, { fileName, ...options }) {
  console.error(`\n${room}, ${part}: ${mutate.join(' ')}`);
  process.env.DLLM_MUTATE_TESTS = JSON.stringify({ tests, isolate });
  const startedMs = Date.now();
  await new Stryker({ ...base, ...options, mutate, jsonReporter: { fileName } }).runMutationTest();
  return Math.round((Date.now() - startedMs) / 1000);
}

if (values.promises) {
  const { tryPromises } = await import('./promises.mjs');
  process.exit(tryPromises(positionals[0]) ? 0 : 1);
}
install();
const { globSync } = await import('tinyglobby');
const todo = wanted(positionals);
if (values.sample === undefined && (values.seed !== undefined || values.again)) refuse('--seed and --again go with --sample N');
const { Stryker } = await import('@stryker-mutator/core');
mkdirSync('.stryker', { recursive: true });
process.env.DLLM_MUTATE = '1';
// Fewer draws than a test makes: a fault that only the thousandth draw shows is hardly caught.
process.env.DLLM_FUZZ_RUNS ??= '40';
if (values.sample === undefined) {
  for (const of of todo) {
    const fileName = join(root, '.stryker', `${of.part}.report.json`);
    const seconds = await plant(of, { fileName, incrementalFile: join('.stryker', `${of.part}.incremental.json`) });
    record({ room: of.room, fileName, seconds, globSync });
  }
} else {
  const { runSample } = await import('./sample-run.mjs');
  const [size, seed] = [natural('sample', values.sample, 1), natural('seed', values.seed ?? '1', 0)];
  await runSample({ todo, size, seed, again: values.again ?? false, plant, never: notRun(globSync), globSync });
}
