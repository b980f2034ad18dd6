import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';
import { NO_DRAFTS } from './no-drafts.js';

/** Predictions beyond the current block are forgotten. */
export const none = defineRule(
  'speculate',
  z.strictObject({ kind: z.literal('none') }),
)({
  facts: () => ({ futureRows: false, widens: false }),
  rule: () => NO_DRAFTS,
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});
