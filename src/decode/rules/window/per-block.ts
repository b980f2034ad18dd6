import { z } from 'zod';
import { blockRange, totalLength } from '../../canvas/geometry.js';
import { defineRule, plain } from '../definition.js';

/**
 * Fast-dLLM (arXiv:2505.22618): the whole canvas in the pass that opens a block, then the block, with or without
 * everything to its right.
 */
export const perBlock = defineRule(
  'window',
  z.strictObject({
    kind: z.literal('per-block'),
    extent: z
      .enum(['suffix', 'block'])
      .default('suffix')
      .describe(
        'rows after the full pass that opens a block; suffix: block and everything right of it (prefix cache); block: the block alone (dual cache)',
      ),
  }),
)({
  facts: () => ({
    relies: 'rows outside the block',
    everyPosition: false,
    blockAlone: false,
    lookahead: false,
    attends: null,
    masks: true,
  }),
  rule: ({ extent }) => ({
    next(canvas, _settled, isNewBlock) {
      const end = totalLength(canvas);
      if (isNewBlock) return { start: 0, end };
      const block = blockRange(canvas, canvas.block);
      return extent === 'block' ? block : { start: block.start, end };
    },
    lookahead: () => [],
    steps: null,
  }),
  contradicts: (_, { cache }) =>
    cache.serves === 'rows outside the block'
      ? []
      : ['window per-block leaves rows out after its full pass, so cache must be per-block'],
  givesUp: ({ extent }) =>
    extent === 'block'
      ? [{ part: 'B2-masked-kv', because: 'the masks right of the block are read from the cache' }]
      : [],
  technique: plain,
  draws: () => ({ extent: ['suffix', 'block'] }),
});
