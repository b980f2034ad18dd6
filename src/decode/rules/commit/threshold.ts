import { z } from 'zod';
import { defineRule, nothing } from '../definition.js';
import { FINAL_TOKENS, PARALLEL_COMMIT, passingOrBest, THRESHOLDS, unit } from './by-confidence.js';

/** Every position at or above tau; if there is none, the best one (Fast-dLLM's threshold rule). */
export const threshold = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('threshold'),
    tau: unit.default(0.9).describe('operating point of Fast-dLLM'),
    compare: z
      .enum(['at-least', 'above'])
      .default('at-least')
      .describe('Fast-dLLM and dInfer accept >=, WINO and LLaDA2 >'),
  }),
)({
  facts: ({ tau }) => ({ ...FINAL_TOKENS, bar: tau }),
  rule: ({ tau, compare }) => ({
    decide: (_canvas, scores) =>
      passingOrBest(
        scores.filter(({ confidence }) => (compare === 'at-least' ? confidence >= tau : confidence > tau)),
        scores,
      ),
    stateFor: () => 'S',
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ tau: THRESHOLDS, compare: ['at-least', 'above'] }),
});
