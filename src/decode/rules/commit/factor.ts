import { z } from 'zod';
import { defineRule, nothing } from '../definition.js';
import { byConfidence, FINAL_TOKENS, PARALLEL_COMMIT, passingOrBest } from './by-confidence.js';

/**
 * Fast-dLLM's factor rule: the largest leading run, by falling confidence, in which every n-th has
 * (n + 1)(1 - c) < f. The published loop also commits a failure at the very last rank, on request this one too.
 */
export const factor = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('factor'),
    factor: z.number().positive().default(1).describe('default of Fast-dLLM'),
    lastRank: z
      .enum(['checked', 'published'])
      .default('checked')
      .describe('published: a failure at the last rank is committed all the same, as its loop does'),
  }),
)({
  facts: () => FINAL_TOKENS,
  rule: ({ factor: f, lastRank }) => ({
    decide(_canvas, scores) {
      const sorted = [...scores].sort(byConfidence);
      const stop = sorted.findIndex(({ confidence }, index) => (index + 2) * (1 - confidence) >= f);
      const all = stop < 0 || (lastRank === 'published' && stop === sorted.length - 1);
      return passingOrBest(all ? sorted : sorted.slice(0, stop), scores);
    },
    stateFor: () => 'S',
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ factor: [0.3, 1, 3, 20], lastRank: ['checked', 'published'] }),
});
