import { type LadderContext, openContext } from './context.js';
import { LADDER } from './ladder.js';
import type { AblationOptions } from './options.js';
import { type PromptJob, type PromptResult, runPrompt } from './prompt-job.js';

let context: Promise<LadderContext> | null = null;

/** Entry of a worker thread: the model is loaded once per thread. */
export default async function work(task: {
  options: AblationOptions;
  job: PromptJob;
}): Promise<PromptResult> {
  context ??= openContext(task.options);
  return runPrompt(await context, LADDER, task.job);
}
