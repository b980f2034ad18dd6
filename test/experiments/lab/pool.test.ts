import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { WorkerEnded, withThreads } from '../../../experiments/lab/pool.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** A worker that a native library would bring down like this. */
const WORKER = `export default (task) => {
  if (task === 'crash') process.kill(process.pid, 'SIGSEGV');
  return task + ' by ' + process.pid;
};`;

it('a crash of a worker process refuses its task and no other, and the program goes on', async () => {
  const path = join(temporaryDirectory(), 'worker.mjs');
  writeFileSync(path, WORKER);
  const answers = await withThreads<string, string, string[]>(
    pathToFileURL(path),
    2,
    'process',
    undefined,
    async ([one, other]) => {
      const beside = other('beside');
      await expect(one('crash')).rejects.toThrow(WorkerEnded);
      return [await beside, await one('after'), await one('again')];
    },
  );
  const [beside, after, again] = (answers ?? []).map((answer) => answer.split(' by '));
  expect([beside[0], after[0], again[0]]).toEqual(['beside', 'after', 'again']);
  expect(again[1]).toBe(after[1]);
  expect(Number(after[1])).not.toBe(process.pid);
});
