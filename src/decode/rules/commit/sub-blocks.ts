import { z } from 'zod';
import { blockRange } from '../../canvas/geometry.js';
import { defineRule, nothing } from '../definition.js';
import { best, committed, FINAL_TOKENS, PARALLEL_COMMIT, THRESHOLDS, unit } from './by-confidence.js';

/**
 * Fast-dLLM v2 (arXiv:2509.26328; NVlabs/Fast-dLLM v2, `generate`): a block is filled in sub-blocks from left to right. Of the first
 * that has masks, those above the threshold and the best one are committed.
 *
 * Not taken over: its sub-block cache (`use_block_cache`, off by default), which leaves out the rows of the other sub-blocks.
 */
export const subBlocks = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('sub-blocks'),
    length: z
      .int()
      .min(1)
      .default(8)
      .describe(
        'positions of a sub-block, from the start of the block on; small_block_size of its model card',
      ),
    tau: unit.default(0.9).describe('confidence to be exceeded; threshold of its model card'),
  }),
)({
  facts: ({ tau }) => ({ ...FINAL_TOKENS, bar: tau }),
  rule: ({ length, tau }) => ({
    decide(canvas, scores) {
      const { start } = blockRange(canvas, canvas.block);
      const subBlockOf = (position: number): number => Math.floor((position - start) / length);
      const first = subBlockOf(scores[0].position);
      const own = scores.filter(({ position }) => subBlockOf(position) === first);
      const top = best(own);
      return own
        .filter((score) => score.confidence > tau || score === top)
        .map((score) =>
          score.confidence > tau
            ? committed(score)
            : { ...committed(score), reason: 'promote-best' as const },
        );
    },
    stateFor: () => 'S',
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ length: [1, 2, 3, 8], tau: THRESHOLDS }),
});
