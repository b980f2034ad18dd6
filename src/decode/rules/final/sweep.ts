import { z } from 'zod';
import { isLastBlockDone } from '../../canvas/geometry.js';
import { defineRule, nothing } from '../definition.js';
import { overBaseline } from '../ladder.js';

/** Up to k refresh passes over what is visible at the end, on the main lane. */
export const sweep = defineRule(
  'final',
  z.strictObject({
    kind: z.literal('sweep'),
    passes: z
      .int()
      .min(1)
      .default(1)
      .describe('most refresh passes over the remaining V after the last block'),
  }),
)({
  facts: () => ({ sweeps: true }),
  rule: ({ passes }) => ({
    sweepRows(canvas) {
      if (!isLastBlockDone(canvas) || canvas.sweeps >= passes) return [];
      return canvas.positions.flatMap((position, index) => (position.state === 'V' ? [index] : []));
    },
    maxPasses: passes,
  }),
  contradicts: (_, { commit, cache }) =>
    commit.stages === null || cache.serves !== 'finished rows'
      ? ['final sweep refreshes visible prefix positions, so commit must be staged and cache prefix']
      : [],
  givesUp: nothing,
  technique: () => overBaseline('sparse cache refresh', 'final'),
  draws: () => ({ passes: [1, 2, 3] }),
});
