import { z } from 'zod';
import { blockRange, totalLength } from '../../canvas/geometry.js';
import { defineRule, nothing, plain } from '../definition.js';

/** Every row, every step: what LLaDA's own loop computes. */
export const canvas = defineRule(
  'window',
  z.strictObject({
    kind: z.literal('canvas'),
    extent: z
      .enum(['full', 'growing'])
      .default('full')
      .describe(
        'full: prompt and all output positions (reproduces Table 1 times); growing: up to the current block',
      ),
  }),
)({
  facts: ({ extent }) => ({
    relies: 'whole canvas',
    everyPosition: extent === 'full',
    blockAlone: false,
    lookahead: false,
    attends: null,
    masks: true,
  }),
  rule: ({ extent }) => ({
    next: (at) => ({
      start: 0,
      end: extent === 'full' ? totalLength(at) : blockRange(at, at.block).end,
    }),
    lookahead: () => [],
    steps: null,
  }),
  contradicts: (_, { cache }) =>
    cache.serves === 'whole canvas'
      ? []
      : ['window canvas recomputes every row, so cache must be none, decided or delayed'],
  givesUp: nothing,
  technique: plain,
  draws: () => ({ extent: ['full', 'growing'] }),
});
