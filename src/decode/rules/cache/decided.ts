import { z } from 'zod';
import { defineRule } from '../definition.js';
import { KV_REUSE, NO_CACHE } from './no-cache.js';

/**
 * dKV-Cache-Decode (arXiv:2505.15781): a decided position is computed once more with its token, then its entry is
 * reused. Everything is computed anew in the first two steps of a block and in every `refreshEvery`-th after.
 */
export const decided = defineRule(
  'cache',
  z.strictObject({
    kind: z.literal('decided'),
    refreshEvery: z
      .int()
      .min(1)
      .default(8)
      .describe(
        'steps of a block between passes that compute everything anew; 8 in the paper, 4 in its demo',
      ),
  }),
)({
  facts: () => ({ serves: 'whole canvas', stores: true, seal: null, causalPrompt: false }),
  rule: ({ refreshEvery }) => ({
    ...NO_CACHE,
    keeps: (canvas, _window, pass) =>
      pass.rows
        .filter(({ position, feed }) => {
          const { state, token } = canvas.positions[position];
          return (state === 'S' || state === 'V') && token === feed;
        })
        .map((row) => row.position),
    reuses(canvas, position) {
      if (canvas.blockSteps < 2 || canvas.blockSteps % refreshEvery === 0) return false;
      return canvas.positions[position].kv !== null;
    },
  }),
  contradicts: (_, { window, commit }) =>
    window.everyPosition && commit.stages === null
      ? []
      : [
          'cache decided reuses rows of the full canvas whose tokens are final: window canvas full, commit not staged',
        ],
  givesUp: ({ refreshEvery }) => [
    { part: 'D1-kv', because: `KV is computed anew every ${refreshEvery} steps of a block` },
  ],
  technique: () => KV_REUSE,
  draws: () => ({ refreshEvery: [1, 2, 3, 5] }),
});
