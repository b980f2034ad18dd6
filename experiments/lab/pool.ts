import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tinypool } from 'tinypool';

/** Runs one task in a thread of the pool. Tasks and answers are plain data. */
export type RunInPool = <Task, Answer>(task: Task) => Promise<Answer>;

/**
 * Worker threads for the time of `use`.
 * @param worker compiled entry of a thread; from sources (tests) there is none
 * @param threads 0: none
 * @returns `null`, without having called `use`, where the work has to be done in the calling thread
 */
export async function withPool<Result>(
  worker: URL,
  threads: number,
  signal: AbortSignal | undefined,
  use: (run: RunInPool) => Promise<Result>,
): Promise<Result | null> {
  const filename = fileURLToPath(worker);
  if (threads === 0 || !existsSync(filename)) return null;
  const pool = new Tinypool({ filename, minThreads: threads, maxThreads: threads, isolateWorkers: false });
  const stop = (): void => void pool.destroy();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await use((task) => pool.run(task));
  } finally {
    signal?.removeEventListener('abort', stop);
    await pool.destroy();
  }
}
