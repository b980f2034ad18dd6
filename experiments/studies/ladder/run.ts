import { createHash } from 'node:crypto';
import { UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';
import { withPool } from '../../lab/pool.js';
import { aggregate } from './aggregate.js';
import { type LadderContext, openContext } from './context.js';
import { gallery, type OnTrace } from './gallery.js';
import { LADDER } from './ladder.js';
import { notes } from './notes.js';
import { ABLATION_DEFAULTS, type AblationOptions } from './options.js';
import { type PromptJob, type PromptResult, runPrompt } from './prompt-job.js';
import { ABLATION_SCHEMA, type AblationSummary } from './types.js';

export interface AblationHooks {
  /** Called after each finished prompt. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called with every row's decode of the first prompt. */
  readonly onTrace?: OnTrace;
  readonly signal?: AbortSignal;
  /** Commit the code was built from, when known. */
  readonly gitCommit?: string;
}

/**
 * Runs the ladder: every prompt decoded by the trained model under every row's policy, every decode timed with
 * the cost model's shapes on the row's stack. Results do not depend on `jobs`.
 *
 * @throws UsageError for values outside their range or unknown names
 */
export async function runAblation(
  options: AblationOptions,
  hooks: AblationHooks = {},
): Promise<AblationSummary> {
  check(options);
  const context = await openContext(options);
  try {
    const jobs = Array.from(
      { length: options.prompts },
      (_, i): PromptJob => ({
        index: options.firstIndex + i,
        verifyEvery: i < options.verifyPrompts ? options.verifyEvery : 0,
      }),
    );
    const prompts = await runJobs(options, context, jobs, hooks);
    const shown = await gallery(context, hooks.onTrace, hooks.signal);
    return summarise(options, context, prompts, shown, hooks.gitCommit);
  } finally {
    context.close();
  }
}

function check(options: AblationOptions): void {
  const atLeast = (name: keyof AblationOptions, low: number): void => {
    const value = options[name];
    if (!Number.isInteger(value) || Number(value) < low) {
      throw new UsageError(`${name} must be a whole number of at least ${low}, got ${value}`);
    }
  };
  atLeast('prompts', 1);
  atLeast('firstIndex', 0);
  atLeast('verifyPrompts', 0);
  atLeast('verifyEvery', 1);
  atLeast('jobs', 0);
  if (options.genLength % options.blockLength !== 0) {
    throw new UsageError(
      `block length ${options.blockLength} does not divide the generation length ${options.genLength}`,
    );
  }
}

async function runJobs(
  options: AblationOptions,
  context: LadderContext,
  jobs: readonly PromptJob[],
  hooks: AblationHooks,
): Promise<PromptResult[]> {
  const results: PromptResult[] = [];
  const finished = (result: PromptResult): void => {
    results.push(result);
    hooks.onProgress?.(results.length, jobs.length);
  };
  const worker = new URL('./worker.js', import.meta.url);
  const pooled = await withPool(worker, Math.min(options.jobs, jobs.length), hooks.signal, (run) =>
    Promise.all(jobs.map(async (job) => finished(await run({ options, job })))),
  );
  if (pooled === null) {
    for (const job of jobs) finished(await runPrompt(context, LADDER, job, hooks.signal));
  }
  return results.sort((a, b) => a.index - b.index);
}

function summarise(
  options: AblationOptions,
  context: LadderContext,
  prompts: readonly PromptResult[],
  shown: Awaited<ReturnType<typeof gallery>>,
  gitCommit: string | undefined,
): AblationSummary {
  const { jobs: _, ...identity } = options;
  const provenance = context.provenance();
  const rows = aggregate(prompts, context.textOf, options.seed);
  return {
    schema: ABLATION_SCHEMA,
    command: commandLine(options),
    configHash: createHash('sha256').update(JSON.stringify(identity)).digest('hex'),
    version: project().version,
    ...(gitCommit === undefined ? {} : { gitCommit }),
    node: process.version,
    seed: options.seed,
    engine: `${context.engine.name} f32`,
    model: context.model,
    costModel: { name: options.costModel, quant: options.quant },
    profile: {
      name: options.profile,
      sha256: context.profileHash,
      fittedOrAssumed: provenance.filter(({ kind }) => kind === 'fitted' || kind === 'assumed'),
      all: provenance,
    },
    stack: [...new Set(LADDER.map((row) => row.stack))].join(', '),
    prompts: {
      set: 'long held-out',
      seed: options.seed,
      count: options.prompts,
      firstIndex: options.firstIndex,
      genLength: options.genLength,
      blockLength: options.blockLength,
    },
    rows,
    carpet: [...shown.carpets],
    timeline: [...shown.timelines],
    notes: notes(prompts, rows, provenance),
  };
}

function commandLine(options: AblationOptions): string {
  return [
    'dllm-npu ablate',
    ...(options.model === ABLATION_DEFAULTS.model ? [] : [`--model ${options.model}`]),
    `--prompts ${options.prompts}`,
    `--first-index ${options.firstIndex}`,
    `--seed ${options.seed}`,
    `--cost-model ${options.costModel}`,
    `--quant ${options.quant}`,
    `--profile ${options.profile}`,
    `--gen-length ${options.genLength}`,
    `--block-length ${options.blockLength}`,
    `--verify-prompts ${options.verifyPrompts}`,
    `--verify-every ${options.verifyEvery}`,
  ].join(' ');
}
