import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tinypool } from 'tinypool';

/** Runs one task in the thread, after those that it was given before. Tasks and answers are plain data. */
export type Thread<Task, Answer> = (task: Task) => Promise<Answer>;

/**
 * Threads for the time of `use`, each with its own queue: whoever gives work to them decides which thread does what.
 * @param worker compiled entry of a thread; from sources (tests) there is none
 * @param count 0: none
 * @returns `null`, without having called `use`, where the work has to be done in the calling thread
 */
export async function withThreads<Task, Answer, Result>(
  worker: URL,
  count: number,
  signal: AbortSignal | undefined,
  use: (threads: readonly Thread<Task, Answer>[]) => Promise<Result>,
): Promise<Result | null> {
  const filename = fileURLToPath(worker);
  if (count === 0 || !existsSync(filename)) return null;
  const one = { filename, minThreads: 1, maxThreads: 1, isolateWorkers: false };
  const pools = Array.from({ length: count }, () => new Tinypool(one));
  const stop = (): Promise<unknown> => Promise.all(pools.map((pool) => pool.destroy()));
  const abort = (): void => void stop();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await use(pools.map((pool) => (task: Task) => pool.run(task) as Promise<Answer>));
  } finally {
    signal?.removeEventListener('abort', abort);
    await stop();
  }
}
