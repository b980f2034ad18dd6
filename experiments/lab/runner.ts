import { hostname } from 'node:os';
import { EnvironmentError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';
import { type Execution, execute, type Kept } from './execute.js';
import { kindByName } from './kinds/registry.js';
import type { PlannedRun } from './plan.js';
import { withPool } from './pool.js';
import { RUN_SCHEMA, type RunRecord } from './record.js';
import type { ResultStore } from './store.js';

export interface SweepHooks {
  /** After each run that was finished now; `total` counts the runs that were missing. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  readonly gitCommit?: string;
}

export interface SweepOptions extends SweepHooks {
  /** Worker threads; 0 runs in the calling thread. Results do not depend on it. */
  readonly jobs: number;
}

export interface SweepOutcome {
  /** Runs that were in the store already. */
  readonly found: number;
  readonly done: number;
  /** Among `done`. */
  readonly refused: number;
  /** Runs that failed by a fault of the program: nothing was kept, the next call tries again. */
  readonly failed: readonly { readonly hash: string; readonly message: string }[];
}

/** Runs handed to the pool per thread at a time: enough to never let a thread wait. */
const QUEUE_PER_THREAD = 2;

/**
 * Makes the runs that the store does not hold yet. Each result is in the store, whole, before the next run of
 * its thread starts: whatever happens to the process, finished runs are never lost and never made again.
 *
 * @throws EnvironmentError when something outside is missing (a full disk, an engine); the runs so far are kept
 */
export async function runSweep(
  runs: readonly PlannedRun[],
  store: ResultStore,
  options: SweepOptions,
): Promise<SweepOutcome> {
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

async function executeAll(
  runs: readonly PlannedRun[],
  { jobs, signal }: SweepOptions,
  finish: Finish,
): Promise<void> {
  const threads = Math.min(jobs, runs.length);
  const worker = new URL('./worker.js', import.meta.url);
  const pooled = await withPool(worker, threads, signal, async (run) => {
    const start = ({ kind, config }: PlannedRun): Promise<Execution> => run({ kind, config });
    await drain(runs, threads * QUEUE_PER_THREAD, signal, start, finish);
    return true;
  });
  if (pooled !== null) return;
  try {
    await drain(runs, 1, signal, (run) => execute(run.kind, run.config, signal), finish);
  } finally {
    for (const name of new Set(runs.map(({ kind }) => kind))) await (await kindByName(name)).close?.();
  }
}

/** Keeps `width` runs under way until none is left or one throws. */
async function drain(
  runs: readonly PlannedRun[],
  width: number,
  signal: AbortSignal | undefined,
  start: (run: PlannedRun) => Promise<Execution>,
  finish: Finish,
): Promise<void> {
  const queue = runs.values();
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
    ...(detail === undefined ? {} : { detail: detail as RunRecord['detail'] }),
  };
}
