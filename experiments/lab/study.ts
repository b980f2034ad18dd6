import { CheckError, UsageError } from '../../src/errors.js';
import { planEach, type WantedRun } from './plan.js';
import type { RunRecord } from './record.js';
import { makeRuns, type RunOptions } from './runner.js';
import type { ResultStore } from './store.js';

/** How a study runs. */
export interface StudyOptions extends RunOptions {
  /** Where runs are kept: what is there is not made again. */
  readonly store: ResultStore;
}

/**
 * The one way for a study to measure: it lists runs, and gets their results in the same order.
 * @throws UsageError when a run is wrong or cannot run; CheckError when one failed by a fault of the program
 */
export async function runAll(wanted: readonly WantedRun[], options: StudyOptions): Promise<RunRecord[]> {
  const planned = await planEach(wanted);
  const { failed } = await makeRuns([...new Set(planned)], options.store, { ...options, untilRefused: true });
  if (failed.length > 0) throw new CheckError(failed[0].message);
  const read = new Map<string, RunRecord>();
  return planned.map(({ hash }) => {
    const record = read.get(hash) ?? options.store.read(hash);
    read.set(hash, record);
    if (record.outcome === 'refused') throw new UsageError(record.reason ?? `run ${hash} cannot run`);
    return record;
  });
}
