import { UsageError } from '../../src/errors.js';
import { parseDecider } from '../lab/deciders/name.js';
import { processByName } from '../lab/deciders/synthetic/profiles.js';
import { PUBLISHED_TASKS } from '../lab/deciders/synthetic/published-tasks.js';
import type { DeciderSetup } from '../lab/setup.js';
import { type Emergence, emergenceOf } from './emergence.js';
import { recordModel } from './of-model.js';
import { processEmergence } from './of-process.js';
import { readTrajectories, revisedAfter, rightSteps, type Trajectory } from './trajectory.js';

/** Whose answers. */
export interface EmergenceOptions {
  readonly workload: string;
  /** Trajectories in place of a workload. */
  readonly from?: string;
  readonly engine: DeciderSetup['engine'];
  readonly seed: number;
  readonly cases?: number;
  readonly genLength?: number;
  readonly blockLength: number;
}

export interface EmergenceRun {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface WorkloadEmergence {
  readonly emergence: Emergence;
  /** Who decided, and how many. */
  readonly decisions: string;
  readonly notes: readonly string[];
}

const MODEL_CASES = 32;
const PROCESS_CASES = 1000;

/**
 * How answers become right: recorded, of a model, or of the confidence process.
 * @throws UsageError for a workload that cannot be asked; DataError for a damaged file
 */
export async function workloadEmergence(
  options: EmergenceOptions,
  run: EmergenceRun = {},
): Promise<WorkloadEmergence> {
  const { workload, from, seed } = options;
  if (from !== undefined) {
    const read = readTrajectories(from);
    return { ...recorded(read, from), decisions: `${read.length} recorded trajectories of ${from}` };
  }
  const name = parseDecider(workload);
  if (name.kind === 'trace')
    throw new UsageError(
      `${workload}: a trace holds the rows that its policy asked for, not every prediction; give --from`,
    );
  if (name.kind === 'synthetic') return ofProcess(options, name.profile);
  const { cases = MODEL_CASES, genLength = 128, blockLength, engine } = options;
  const made = await recordModel(
    { workload, engine },
    {
      seed,
      cases,
      genLength,
      blockLength,
      signal: run.signal,
      onProgress: (done) => run.onProgress?.(done, cases),
    },
  );
  return {
    ...recorded(made, workload),
    decisions: `${workload} on ${engine}, ${cases} held-out problems of seed ${seed}, ${genLength} steps, blocks of ${blockLength}`,
  };
}

function recorded(
  trajectories: readonly Trajectory[],
  origin: string,
): Pick<WorkloadEmergence, 'emergence' | 'notes'> {
  const emergence = emergenceOf(
    trajectories.map((each, at) => rightSteps(each, `${origin}, trajectory ${at + 1}`)),
  );
  return { emergence, notes: [revisionNote(trajectories)] };
}

/** Confidence from which on the paper calls a token stable. */
const STABLE = 0.9;

function revisionNote(trajectories: readonly Trajectory[]): string {
  const each = trajectories.map((one) =>
    revisedAfter(one, STABLE, (at) => at < (one.textTokens ?? Number.POSITIVE_INFINITY)),
  );
  const committed = each.reduce((sum, one) => sum + one.committed, 0);
  const revised = each.reduce((sum, one) => sum + one.revised, 0);
  if (committed === 0) return `no token was committed at ${STABLE} or above with a confidence in the file`;
  return `of ${committed} text tokens committed at ${STABLE} or above, ${((100 * revised) / committed).toFixed(2)} % are predicted otherwise by a later step`;
}

function ofProcess(options: EmergenceOptions, profile: string): WorkloadEmergence {
  const { seed, cases = PROCESS_CASES, genLength = 256, blockLength } = options;
  const { parameters, profile: entry } = processByName(profile);
  const published = PUBLISHED_TASKS.find(({ task }) => task === profile);
  const emergence = processEmergence({
    parameters: { ...parameters, bias: parameters.bias + entry.shift },
    textTokens: entry.textTokens,
    accuracyPct: published?.accuracyPct ?? null,
    seed,
    cases,
    genLength,
    blockLength,
  });
  const accuracy =
    published === undefined
      ? `No accuracy is published for ${profile}: every answer that its confidence settles counts as right, so the curve ends too high, and none is lost (synthetic:gsm8k has one).`
      : `The last point is calibrated: ${published.accuracyPct} % (${published.source}, 256 steps). All others are predicted.`;
  return {
    emergence,
    decisions: `${options.workload}, a confidence process (no model ran), ${cases} cases of seed ${seed}, ${genLength} steps, blocks of ${blockLength}`,
    notes: [
      accuracy,
      'Assumed: an answer is one decision at the end of the text (interval: one to three, all needed), and an answer that ends wrong was led astray at a step of its text that is equally likely to be any.',
    ],
  };
}
