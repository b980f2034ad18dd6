import { z } from 'zod';
import { defineRule } from '../definition.js';
import { FINAL_TOKENS, PARALLEL_COMMIT, passingOrBest, THRESHOLDS, unit } from './by-confidence.js';

/**
 * KLASS (arXiv:2511.05664; shkim0116/KLASS, `stable_confident_decode`): masks above `tau` whose distribution moved by less than
 * `drift` nats, KL(p_t || p_t-1), in each of the last `steps` steps; if there is none, the best one. A block is not judged before its
 * step number `steps`. The best one alone is its fallback at as many steps as tokens, which it is run with.
 */
export const klass = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('klass'),
    tau: unit.default(0.9).describe('confidence to be exceeded; conf_threshold of KLASS'),
    drift: z
      .number()
      .min(0)
      .default(0.01)
      .describe('nats that the distribution of a row may move in a step; kl_threshold of KLASS'),
    steps: z
      .int()
      .min(1)
      .default(2)
      .describe('steps in a row that it stays below; kl_history_length of KLASS'),
  }),
)({
  facts: ({ tau, steps }) => ({ ...FINAL_TOKENS, bar: tau, drift: steps }),
  rule: ({ tau, drift, steps }) => ({
    decide: ({ blockSteps }, scores) =>
      passingOrBest(
        scores.filter(
          (score) => blockSteps >= steps - 1 && score.confidence > tau && (score.drift ?? Infinity) < drift,
        ),
        scores,
      ),
    stateFor: () => 'S',
  }),
  contradicts: (_, { speculate, guidance }) => [
    ...(speculate.widens
      ? ['commit klass compares a row with itself a step ago, so speculate must not be exact']
      : []),
    ...(guidance > 0 ? ['commit klass compares logits as the model gives them, so guidance must be 0'] : []),
  ],
  givesUp: () => [],
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ tau: THRESHOLDS, drift: [0, 0.01, 0.3, 5], steps: [1, 2, 3] }),
});
