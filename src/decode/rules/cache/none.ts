import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';
import { NO_CACHE } from './no-cache.js';

/** Nothing is kept: every pass computes what it needs. */
export const none = defineRule(
  'cache',
  z.strictObject({ kind: z.literal('none') }),
)({
  facts: () => ({ serves: 'whole canvas', stores: false, seal: null, causalPrompt: false }),
  rule: () => NO_CACHE,
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});
