import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Tinypool } from 'tinypool';
import { EnvironmentError } from '../../src/errors.js';

/** Runs one task in the thread, after those that it was given before. Tasks and answers are plain data. */
export type Thread<Task, Answer> = (task: Task) => Promise<Answer>;

/** A worker ended in the middle of a task: a native library has crashed, somebody has killed it, or its heap was full. */
export class WorkerEnded extends EnvironmentError {}

/**
 * Workers are threads, or processes where what they run may crash: a thread would take the program with it.
 */
export type WorkerKind = 'thread' | 'process';

/**
 * Threads for the time of `use`, each with its own queue: whoever gives work to them decides which thread does what.
 * @param worker compiled entry of a thread; from sources (tests) there is none
 * @param count 0: none
 * @param kind a task whose worker ends is refused with `WorkerEnded`, and the next gets a new one
 * @returns `null`, without having called `use`, where the work has to be done in the calling thread
 */
export async function withThreads<Task, Answer, Result>(
  worker: URL,
  count: number,
  kind: WorkerKind,
  signal: AbortSignal | undefined,
  use: (threads: readonly Thread<Task, Answer>[]) => Promise<Result>,
): Promise<Result | null> {
  const filename = fileURLToPath(worker);
  if (count === 0 || !existsSync(filename)) return null;
  const runtime = kind === 'thread' ? ('worker_threads' as const) : ('child_process' as const);
  const one = { filename, minThreads: 1, maxThreads: 1, isolateWorkers: false, runtime };
  const pools = Array.from({ length: count }, () => new Tinypool(one));
  const stop = (): Promise<unknown> => Promise.all(pools.map((pool) => pool.destroy()));
  const abort = (): void => void stop();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await use(pools.map((pool) => (task: Task) => pool.run(task).catch(told) as Promise<Answer>));
  } finally {
    signal?.removeEventListener('abort', abort);
    await stop();
  }
}

/** What tinypool says of a process that is gone. */
const GONE = 'Worker exited unexpectedly';
/** What Node says of a thread whose heap was full. */
const FULL = 'ERR_WORKER_OUT_OF_MEMORY';

function told(error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === FULL)
    throw new WorkerEnded(
      'the worker thread ended while it computed: its heap was full; run it again with fewer --jobs, or NODE_OPTIONS=--max-old-space-size=MB',
    );
  if (error instanceof Error && error.message === GONE)
    throw new WorkerEnded(
      'the worker process ended while it computed: a native library crashed or it was killed; run it again, or take --engine tfjs',
    );
  throw error;
}
