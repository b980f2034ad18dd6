import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';

/** A committed token stays. */
export const none = defineRule(
  'revoke',
  z.strictObject({ kind: z.literal('none') }),
)({
  facts: () => ({ shadows: false }),
  rule: () => ({ shadows: () => [], decide: () => [], stableWithBlock: false }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});
