import { hostname } from 'node:os';
import { ENGINE_NAMES, ENGINES } from '../../src/engine/registry.js';
import { EnvironmentError, UsageError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';
import { type Execution, execute, type Kept } from './execute.js';
import { Lab } from './lab.js';
import { partsOf } from './parts.js';
import type { PlannedRun } from './plan.js';
import { WorkerEnded, withThreads } from './pool.js';
import { RUN_SCHEMA, type RunRecord } from './record.js';
import type { ResultStore } from './store.js';

export interface RunHooks {
  /** After each run that was finished now; `total` counts the runs that were missing. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  readonly gitCommit?: string;
}

export interface RunOptions extends RunHooks {
  /** Worker threads; 0 runs in the calling thread. Results do not depend on it. */
  readonly jobs: number;
  /** The first run that is refused ends all: whoever needs every result need not wait for the rest. */
  readonly untilRefused?: boolean;
  /** Used in the calling thread, and left open. Default: one for the time of the runs. */
  readonly lab?: Lab;
}

export interface RunsOutcome {
  /** Runs that were in the store already. */
  readonly found: number;
  readonly done: number;
  /** Among `done`. */
  readonly refused: number;
  /** Runs that failed by a fault of the program: nothing was kept, the next call tries again. */
  readonly failed: readonly { readonly hash: string; readonly message: string }[];
}

/** Runs that a thread holds at a time: one to work on, and one so that it need not wait for the next. */
const QUEUE = 2;
/** Runs that share work stay together, but in no larger parts than leave each thread this many of them. */
const PARTS_PER_THREAD = 4;

/**
 * Makes the runs that the store does not hold yet. Each result is in the store, whole, as soon as it is there:
 * whatever happens to the process, finished runs are never lost and never made again.
 *
 * @throws EnvironmentError when something outside is missing (a full disk, an engine); UsageError with `untilRefused`; the
 *   runs so far are kept
 */
export async function makeRuns(
  runs: readonly PlannedRun[],
  store: ResultStore,
  options: RunOptions,
): Promise<RunsOutcome> {
  store.sweepOut();
  store.index();
  const missing = runs.filter(({ hash }) => !store.has(hash));
  const failed: { hash: string; message: string }[] = [];
  let done = 0;
  let refused = 0;
  const finish: Finish = (run, result) => {
    if (result.outcome === 'done' || result.outcome === 'refused') {
      store.add(recordOf(run, result), {
        finishedAt: new Date().toISOString(),
        seconds: Number(result.seconds.toFixed(3)),
        node: process.version,
        host: hostname(),
        gitCommit: options.gitCommit ?? null,
      });
      done += 1;
      if (result.outcome === 'refused') refused += 1;
      if (result.outcome === 'refused' && options.untilRefused) throw new UsageError(result.reason);
    } else if (result.outcome === 'environment') {
      throw new EnvironmentError(result.reason);
    } else {
      failed.push({ hash: run.hash, message: result.reason });
    }
    options.onProgress?.(done + failed.length, missing.length);
  };
  options.onProgress?.(0, missing.length);
  if (missing.length > 0) await executeAll(missing, options, finish);
  return { found: runs.length - missing.length, done, refused, failed };
}

type Finish = (run: PlannedRun, result: Execution) => void;
type Start = (run: PlannedRun) => Promise<Execution>;

async function executeAll(
  runs: readonly PlannedRun[],
  { jobs, lab: given, signal }: RunOptions,
  finish: Finish,
): Promise<void> {
  const count = Math.min(jobs, runs.length);
  const worker = new URL('./worker.js', import.meta.url);
  type Task = Pick<PlannedRun, 'kind' | 'config'>;
  const kind = runs.some(({ config }) => isNative(config)) ? 'process' : 'thread';
  const pooled = await withThreads<Task, Execution, true>(worker, count, kind, signal, async (threads) => {
    const parts = partsOf(runs, Math.ceil(runs.length / (count * PARTS_PER_THREAD))).values();
    await Promise.all(
      threads.map((thread) => {
        const start: Start = ({ kind: of, config }) =>
          thread({ kind: of, config }).catch((error: unknown) => {
            // The others go on: the run is made again by the next call.
            if (error instanceof WorkerEnded && !signal?.aborted)
              return { seconds: 0, outcome: 'failed', reason: error.message };
            throw error;
          });
        return drain(flat(parts), QUEUE, signal, start, finish);
      }),
    );
    return true;
  });
  if (pooled !== null) return;
  const lab = given ?? new Lab();
  try {
    const start: Start = ({ kind, config }) => execute(kind, config, lab, signal);
    await drain(partsOf(runs, runs.length).flat().values(), 1, signal, start, finish);
  } finally {
    if (given === undefined) await lab.close();
  }
}

/** Whether a run calls native kernels, which could end the process they run in. */
function isNative(config: Readonly<Record<string, unknown>>): boolean {
  const name = ENGINE_NAMES.find((known) => known === config.engine);
  return name !== undefined && !ENGINES[name].portable(config);
}

function* flat<T>(parts: Iterable<readonly T[]>): Generator<T> {
  for (const part of parts) yield* part;
}

/** Keeps `width` runs under way until none is left or one throws. */
async function drain(
  queue: Iterable<PlannedRun>,
  width: number,
  signal: AbortSignal | undefined,
  start: Start,
  finish: Finish,
): Promise<void> {
  const lane = async (): Promise<void> => {
    for (const run of queue) {
      signal?.throwIfAborted();
      const result = await start(run);
      signal?.throwIfAborted();
      finish(run, result);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

function recordOf(run: PlannedRun, result: Kept): RunRecord {
  const { hash, kind, config, inputs, code } = run;
  const common = {
    schema: RUN_SCHEMA,
    hash,
    kind,
    config,
    inputs,
    code,
    version: project().version,
  } as const;
  if (result.outcome === 'refused') {
    return { ...common, outcome: 'refused', metrics: {}, reason: result.reason };
  }
  const { metrics, detail } = result.result;
  return {
    ...common,
    outcome: 'done',
    metrics: { ...metrics },
    detail: detail as RunRecord['detail'],
  };
}
