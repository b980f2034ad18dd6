import { z } from 'zod';
import { defineRule } from '../definition.js';
import { byConfidence, FINAL_TOKENS, PARALLEL_COMMIT, passingOrBest } from './by-confidence.js';
import { nats, needsEntropy } from './by-entropy.js';

/**
 * EB sampler (arXiv:2505.24857): masks by rising entropy, for as long as the entropies of those before the newest sum to at
 * most gamma. The first is always committed.
 */
export const entropyBound = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('entropy-bound'),
    gamma: z
      .number()
      .min(0)
      .default(0.15)
      .describe('nats; default of SGLang eb_sampling (d2Cache runs it at 0.001)'),
  }),
)({
  facts: () => ({ ...FINAL_TOKENS, entropy: true }),
  rule: ({ gamma }) => ({
    decide(_canvas, scores) {
      const sorted = [...scores].sort(byConfidence);
      let before = 0;
      const stop = sorted.findIndex((score) => {
        if (before > gamma) return true;
        before += nats(score);
        return false;
      });
      return passingOrBest(stop < 0 ? sorted : sorted.slice(0, stop), scores);
    },
    stateFor: () => 'S',
  }),
  contradicts: needsEntropy('entropy-bound'),
  givesUp: () => [],
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ gamma: [0, 0.15, 1, 5] }),
});
