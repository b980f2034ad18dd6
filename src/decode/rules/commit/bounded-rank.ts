import { z } from 'zod';
import type { RowOutcome } from '../../../pass/pass.js';
import { defineRule, nothing } from '../definition.js';
import {
  byConfidence,
  FINAL_TOKENS,
  PARALLEL_COMMIT,
  passingOrBest,
  THRESHOLDS,
  unit,
} from './by-confidence.js';

interface Bounds {
  readonly tau: number;
  readonly floor: number;
  readonly factor: number;
}

/** What a mask of rank r needs at least: the more are committed with it, the surer it must be. */
const needed = (factor: number, rank: number): number => 1 - factor / (rank + 2);

/** How many of the masks, the surest first, are committed together. */
const BOUNDS: Readonly<
  Record<'prefix' | 'either' | 'cumulative', (sorted: readonly RowOutcome[], bounds: Bounds) => RowOutcome[]>
> = {
  /** `threshold_ref`: the longest run in which each passes both tests. */
  prefix: (sorted, { tau, factor }) =>
    runOf(sorted, ({ confidence }, rank) => confidence >= tau && confidence >= needed(factor, rank)),
  /** `threshold_bound`: each that passes the threshold, or the rank's test above a floor. */
  either: (sorted, { tau, floor, factor }) =>
    sorted.filter(
      ({ confidence }, rank) =>
        confidence >= tau || (confidence >= floor && confidence >= needed(factor, rank)),
    ),
  /** `cumulative_error`: the longest run whose product of confidences is at least the threshold. */
  cumulative(sorted, { tau }) {
    let sum = 0;
    return runOf(sorted, ({ confidence }) => {
      sum += Math.log(confidence);
      return sum >= Math.log(tau);
    });
  },
};

function runOf(
  sorted: readonly RowOutcome[],
  passes: (score: RowOutcome, rank: number) => boolean,
): RowOutcome[] {
  const stop = sorted.findIndex((score, rank) => !passes(score, rank));
  return sorted.slice(0, stop < 0 ? sorted.length : stop);
}

/** The three samplers of Nemotron-Labs-Diffusion that bound how many masks are committed by their rank; one always is. */
export const boundedRank = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('bounded-rank'),
    bound: z
      .enum(['prefix', 'either', 'cumulative'])
      .default('either')
      .describe('threshold_ref, threshold_bound or cumulative_error; either commits the most of the three'),
    tau: unit.default(0.9).describe('default_diffusion_threshold of its configuration'),
    floor: unit.default(0.45).describe('default_diffusion_min_threshold; of bound either'),
    factor: z
      .number()
      .positive()
      .default(2)
      .describe('default_diffusion_sampling_scaling_factor; of bounds prefix and either'),
  }),
)({
  facts: ({ tau }) => ({ ...FINAL_TOKENS, bar: tau }),
  rule: ({ bound, ...bounds }) => ({
    decide: (_canvas, scores) => passingOrBest(BOUNDS[bound]([...scores].sort(byConfidence), bounds), scores),
    stateFor: () => 'S',
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: () => PARALLEL_COMMIT,
  draws: () => ({
    bound: ['prefix', 'either', 'cumulative'],
    tau: THRESHOLDS,
    floor: [0, 0.2, 0.45],
    factor: [0.3, 1, 2],
  }),
});
