import { UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';
import { withPool } from '../../lab/pool.js';
import { openCheckpoint } from './checkpoint.js';
import type { QualityOptions } from './options.js';
import { openQuality, type ProblemOutcome, type QualityContext, runProblem } from './problem-job.js';
import { QUALITY_SCHEMA, type QualityTable, qualityNotes, qualityRows } from './table.js';

export interface QualityHooks {
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** File that keeps finished decodes, so that a run that was cut off continues. */
  readonly checkpoint?: string;
  /** Commit the code was built from, when known. */
  readonly gitCommit?: string;
}

/**
 * Decodes the same held-out problems under every policy and compares the answers in pairs. The result does not
 * depend on `jobs`.
 * @throws UsageError for unknown names or a baseline that is not among the policies
 */
export async function runQuality(options: QualityOptions, hooks: QualityHooks = {}): Promise<QualityTable> {
  if (!options.policies.includes(options.baseline)) {
    throw new UsageError(
      `baseline ${options.baseline} is not among the policies ${options.policies.join(', ')}`,
    );
  }
  const twice = options.policies.find((name, at) => options.policies.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`policy ${twice} is named twice`);
  const context = await openQuality(options);
  try {
    const problems = await runProblems(options, context, hooks);
    const rows = qualityRows(options, problems);
    const { jobs: _, ...identity } = options;
    return {
      schema: QUALITY_SCHEMA,
      command: commandLine(options),
      version: project().version,
      ...(hooks.gitCommit === undefined ? {} : { gitCommit: hooks.gitCommit }),
      node: process.version,
      engine: context.engine.name,
      model: { name: options.model, sha256: context.modelSha256 },
      options: identity,
      rows,
      notes: qualityNotes(options, rows),
    };
  } finally {
    context.engine.dispose();
  }
}

async function runProblems(
  options: QualityOptions,
  context: QualityContext,
  { onProgress, signal, checkpoint: path }: QualityHooks,
): Promise<ProblemOutcome[]> {
  const indices = Array.from({ length: options.n }, (_, at) => options.firstIndex + at);
  const saved = path === undefined ? null : openCheckpoint(path, context.keys);
  const outcomes: ProblemOutcome[] = [];
  const one = async (index: number, run: RunOne): Promise<void> => {
    const known = context.policies.map((_, policy) => saved?.get(policy, index));
    const which = known.flatMap((outcome, policy) => (outcome === undefined ? [policy] : []));
    const fresh = which.length === 0 ? [] : (await run(index, which)).policies;
    which.forEach((policy, at) => {
      saved?.add(policy, index, fresh[at]);
    });
    const policies = known.map((outcome, policy) => outcome ?? fresh[which.indexOf(policy)]);
    outcomes.push({ index, policies });
    onProgress?.(outcomes.length, options.n);
  };
  const worker = new URL('./worker.js', import.meta.url);
  const pooled = await withPool(worker, Math.min(options.jobs, options.n), signal, (pool) =>
    Promise.all(indices.map((index) => one(index, (at, which) => pool({ options, index: at, which })))),
  );
  if (pooled === null) {
    for (const index of indices) {
      await one(index, (at, which) => runProblem(context, options, at, signal, which));
    }
  }
  return outcomes.sort((a, b) => a.index - b.index);
}

type RunOne = (index: number, which: readonly number[]) => Promise<ProblemOutcome>;

function commandLine(options: QualityOptions): string {
  return [
    'dllm-npu quality',
    `--n ${options.n}`,
    `--first-index ${options.firstIndex}`,
    `--seed ${options.seed}`,
    `--model ${options.model}`,
    `--engine ${options.engine}`,
    `--gen-length ${options.genLength}`,
    ...(options.blockLength === null ? [] : [`--block-length ${options.blockLength}`]),
    `--baseline ${options.baseline}`,
    `--policies ${options.policies.join(',')}`,
  ].join(' ');
}
