import type { PlannedRun } from '../experiments/lab/plan.js';
import { mergeFinished, mergeSlurmJob, submitSlurmJob, writeSlurmJob } from '../experiments/lab/slurm.js';
import type { ResultStore } from '../experiments/lab/store.js';
import type { Context } from './io.js';

interface SlurmOptions {
  /** Tasks of the array. */
  readonly shards: number;
  /** Worker threads of a task. */
  readonly jobs: number;
  /** Further options of sbatch. */
  readonly slurm: readonly string[];
  readonly wait: boolean;
}

/** Submits what is missing as an array job; waits and merges unless told not to. Takes over what earlier jobs made. */
export async function runOnSlurm(
  ctx: Context,
  runs: readonly PlannedRun[],
  store: ResultStore,
  options: SlurmOptions,
): Promise<void> {
  const merged = mergeFinished(store);
  if (merged > 0) ctx.note(`${merged} runs of earlier jobs taken over`);
  const missing = runs.filter(({ hash }) => !store.has(hash));
  const found = runs.length - missing.length;
  if (missing.length === 0) {
    ctx.data({ results: store.directory, runs: runs.map(({ hash }) => hash), found, done: 0 });
    ctx.print(`${runs.length} runs: ${found} were there, 0 made`);
    return;
  }
  const job = writeSlurmJob(missing, store, {
    shards: options.shards,
    jobs: options.jobs,
    directives: options.slurm,
    program: [process.execPath, process.argv[1]],
  });
  ctx.note(`${missing.length} runs in ${job.shards} tasks: ${job.script}`);
  const { id, ok } = await submitSlurmJob(job, options.wait, {
    signal: ctx.signal,
    onSubmit: (number) => ctx.note(`submitted as job ${number} (scancel ${number} ends it)`),
  });
  if (!options.wait) {
    ctx.data({ results: store.directory, job: id, script: job.script, found });
    ctx.print(`job ${id} submitted; the same command later takes over what is finished`);
    return;
  }
  if (!ok) ctx.note(`job ${id}: not every task ended well`);
  const done = mergeSlurmJob(job, store, missing);
  ctx.data({ results: store.directory, runs: runs.map(({ hash }) => hash), job: id, found, done });
  ctx.print(`${runs.length} runs: ${found} were there, ${done} made by job ${id}`);
}
