import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, vi } from 'vitest';
import { WorkerEnded, withThreads } from '../../../experiments/lab/pool.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** A worker that a native library would bring down like this. */
const WORKER = `export default async (task) => {
  if (task === 'crash') process.kill(process.pid, 'SIGSEGV');
  if (task === 'hang') for (;;);
  if (task === 'heap') {
    // What a full heap of a thread looks like from outside: an error that no task threw.
    setTimeout(() => { throw Object.assign(new Error('full'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }); });
    await new Promise(() => {});
  }
  return task + ' by ' + process.pid;
};`;

const path = join(temporaryDirectory(), 'worker.mjs');
writeFileSync(path, WORKER);

it('a crash of a worker process refuses its task and no other, and the program goes on', async () => {
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

it('a thread whose heap is full refuses its task, and the next task gets another', async () => {
  const answers = await withThreads<string, string, string[]>(
    pathToFileURL(path),
    1,
    'thread',
    undefined,
    async ([one]) => {
      await expect(one('heap')).rejects.toThrow(WorkerEnded);
      return [await one('after')];
    },
  );
  expect(answers).toEqual([`after by ${process.pid}`]);
});

it.each(['thread', 'process'] as const)(
  'a %s that hangs ends with the program when it is told to stop',
  async (kind) => {
    const stop = new AbortController();
    let worker = 0;
    const hung = withThreads<string, string, string>(
      pathToFileURL(path),
      1,
      kind,
      stop.signal,
      async ([one]) => {
        worker = Number((await one('who')).split(' by ')[1]);
        const answer = one('hang');
        setTimeout(() => stop.abort(), 50);
        return answer;
      },
    );
    await expect(hung).rejects.toThrow();
    if (kind === 'process') await vi.waitFor(() => expect(() => process.kill(worker, 0)).toThrow(), 5000);
  },
);
