import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';

/** The best token. */
export const greedy = defineRule(
  'sampling',
  z.strictObject({ kind: z.literal('greedy') }),
)({
  facts: () => ({ random: false }),
  rule: () => ({ seed: 0, temperature: 0, pick: () => null }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});
