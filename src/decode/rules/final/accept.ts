import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';

/** What is visible at the end stays as it is, and is reported. */
export const accept = defineRule(
  'final',
  z.strictObject({ kind: z.literal('accept') }),
)({
  facts: () => ({ sweeps: false }),
  rule: () => ({ sweepRows: () => [], maxPasses: 0 }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});
