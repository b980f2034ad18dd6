import { z } from 'zod';
import { blockRange, totalLength } from '../../canvas/geometry.js';
import { defineRule, nothing, plain } from '../definition.js';
import { lookaheadContradicts, lookaheadDraws, lookaheadRule, lookaheadSchema } from './lookahead.js';

/** The current block on cached prefix KV, or everything from it on. */
export const block = defineRule(
  'window',
  z.strictObject({
    kind: z.literal('block'),
    extent: z
      .enum(['block', 'suffix'])
      .default('block')
      .describe(
        'block: rows of the current block; suffix: also all masks to the right (Fast-dLLM prefix cache)',
      ),
    lookahead: lookaheadSchema.optional(),
  }),
)({
  facts: ({ extent, lookahead }) => ({
    relies: 'finished rows',
    everyPosition: false,
    blockAlone: extent === 'block',
    lookahead: lookahead !== undefined,
    attends: null,
    masks: true,
  }),
  rule: ({ extent, lookahead }, _, inputs) => ({
    next(canvas) {
      const range = blockRange(canvas, canvas.block);
      return extent === 'block' ? range : { start: range.start, end: totalLength(canvas) };
    },
    lookahead: lookaheadRule(lookahead, inputs),
    steps: null,
  }),
  contradicts({ extent, lookahead }, policy) {
    const found = lookaheadContradicts(policy);
    if (policy.cache.serves !== 'finished rows')
      found.push('window block leaves rows out, so cache must be prefix');
    if (policy.cache.seal === 'delayed')
      found.push('cache.seal delayed needs window sliding; window block seals by pass or as-is');
    if (lookahead !== undefined && extent === 'suffix')
      found.push('window.lookahead has nothing to add to extent suffix');
    return found;
  },
  givesUp: nothing,
  technique: plain,
  draws: () => ({ extent: ['block', 'suffix'], lookahead: lookaheadDraws }),
});
