import { z } from 'zod';
import { defineRule, nothing } from '../definition.js';
import { byConfidence, FINAL_TOKENS, PARALLEL_COMMIT, passingOrBest, unit } from './by-confidence.js';

/**
 * Fast-dLLM++'s rule from the Frechet bounds on the joint probability of the n most confident tokens: the largest n
 * with max(0, sum c - (n - 1)) - (1 - c_n) > delta.
 */
export const frechet = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('frechet'),
    delta: unit.default(0.25).describe('default of Fast-dLLM++'),
  }),
)({
  facts: () => FINAL_TOKENS,
  rule: ({ delta }) => ({
    decide(_canvas, scores) {
      const sorted = [...scores].sort(byConfidence);
      let sum = 0;
      let largest = 0;
      sorted.forEach(({ confidence }, index) => {
        sum += confidence;
        if (Math.max(0, sum - index) - (1 - confidence) > delta) largest = index + 1;
      });
      return passingOrBest(sorted.slice(0, largest), scores);
    },
    stateFor: () => 'S',
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ delta: [0, 0.1, 0.25, 0.5, 1.01] }),
});
