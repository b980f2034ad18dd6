import type { QualityOptions } from './options.js';
import { openQuality, type ProblemOutcome, type QualityContext, runProblem } from './problem-job.js';

let context: Promise<QualityContext> | null = null;

/** Entry of a worker thread: the model is loaded once per thread. */
export default async function work(task: {
  readonly options: QualityOptions;
  readonly index: number;
  readonly which: readonly number[];
}): Promise<ProblemOutcome> {
  context ??= openQuality(task.options);
  return runProblem(await context, task.options, task.index, undefined, task.which);
}
