// npm run mutate [-- ROOM|PART|FILE ...]: plants faults in the code, one at a time, and runs the tests of its room.
// Writes results/reference/mutation. Goes on where it stopped: what neither code nor tests changed is not run again.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { record } from './report.mjs';
import { ROOMS } from './rooms.mjs';
import { base } from './stryker.config.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
process.chdir(root);

function install() {
  const stamp = join(here, 'node_modules', '.package-lock.json');
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(join(here, 'package-lock.json')).mtimeMs) return;
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: here, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(3);
}

/** What to run: parts whole, or the files of a part that were named. */
function wanted(names) {
  const parts = Object.entries(ROOMS).flatMap(([room, { tests, parts }]) =>
    Object.entries(parts).map(([part, of]) =>
      Array.isArray(of) ? { room, part, isolate: false, tests, mutate: of } : { room, part, isolate: of.isolate ?? false, tests: of.tests, mutate: of.files },
    ),
  );
  if (names.length === 0) return parts;
  return names.flatMap((name) => {
    const named = parts.filter(({ room, part }) => name === room || name === part);
    if (named.length > 0) return named;
    const file = relative(root, join(root, name));
    const of = parts.find(({ mutate }) => globSync(mutate).includes(file));
    if (of === undefined || !existsSync(file)) {
      const known = parts.map(({ room, part }) => (room === part ? room : `${room} ${part}`));
      console.error(`${name} is no room, part or file that is mutated; there are: ${known.join(', ')}`);
      process.exit(2);
    }
    return [{ ...of, mutate: [file] }];
  });
}

install();
const { globSync } = await import('tinyglobby');
const todo = wanted(process.argv.slice(2));
const { Stryker } = await import('@stryker-mutator/core');
mkdirSync('.stryker', { recursive: true });
process.env.DLLM_MUTATE = '1';
// Fewer draws than a test makes: a fault that only the thousandth draw shows is hardly caught.
process.env.DLLM_FUZZ_RUNS ??= '40';
for (const { room, part, tests, mutate, isolate } of todo) {
  console.error(`\n${room}, ${part}: ${mutate.join(' ')}`);
  process.env.DLLM_MUTATE_TESTS = JSON.stringify({ tests, isolate });
  const fileName = join(root, '.stryker', `${part}.report.json`);
  const startedMs = Date.now();
  await new Stryker({
    ...base,
    mutate,
    incrementalFile: join('.stryker', `${part}.incremental.json`),
    jsonReporter: { fileName },
  }).runMutationTest();
  record({ room, fileName, seconds: Math.round((Date.now() - startedMs) / 1000), globSync });
}
