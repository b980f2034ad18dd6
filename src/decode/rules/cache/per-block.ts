import { z } from 'zod';
import { contains } from '../../canvas/geometry.js';
import { defineRule } from '../definition.js';
import { KV_REUSE, NO_CACHE } from './no-cache.js';

/**
 * Fast-dLLM (arXiv:2505.22618): the full pass that opens a block fills the cache for every position that the
 * following passes leave out; nothing else is ever kept.
 */
export const perBlock = defineRule(
  'cache',
  z.strictObject({ kind: z.literal('per-block') }),
)({
  facts: () => ({ serves: 'rows outside the block', stores: true, seal: null, causalPrompt: false }),
  rule: () => ({
    ...NO_CACHE,
    // Only the full pass has rows outside the window that follows.
    keeps: (_decided, window, pass) =>
      pass.rows.map((row) => row.position).filter((position) => !contains(window, position)),
  }),
  contradicts: (_, { window }) =>
    window.relies === 'rows outside the block'
      ? []
      : ['cache per-block is filled by the full pass of window per-block'],
  givesUp: () => [
    { part: 'D1-kv', because: 'the full pass that opens a block computes the KV of everything anew' },
  ],
  technique: () => KV_REUSE,
  draws: () => ({}),
});
