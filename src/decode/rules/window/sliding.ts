import { z } from 'zod';
import { blockRange, contains, isLastBlockDone, totalLength } from '../../canvas/geometry.js';
import type { Canvas } from '../../canvas/types.js';
import { defineRule, nothing } from '../definition.js';
import { overCachedBlocks } from '../ladder.js';
import { lookaheadContradicts, lookaheadDraws, lookaheadRule, lookaheadSchema } from './lookahead.js';

/**
 * Continuous sliding (arXiv:2606.13740 §3.2): the left edge moves past the settled run on the left, the size is
 * unchanged, so the right edge enters the next blocks. A position is settled when it is decided and its KV was
 * computed from the very token it has.
 */
export const sliding = defineRule(
  'window',
  z.strictObject({
    kind: z.literal('sliding'),
    size: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('rows of the window; null is the block length, as in §3.2'),
    past: z
      .enum(['visible', 'stable'])
      .default('visible')
      .describe(
        'what the left edge passes inside the current block; §3.2 slides past committed tokens, which includes V',
      ),
    lookahead: lookaheadSchema.optional(),
  }),
)({
  facts: ({ lookahead }) => ({
    relies: 'finished rows',
    everyPosition: false,
    blockAlone: false,
    lookahead: lookahead !== undefined,
    attends: null,
    masks: true,
  }),
  rule({ size, past, lookahead }, _, inputs) {
    const passes = (canvas: Canvas, position: number): boolean => {
      const { state } = canvas.positions[position];
      if (state === 'S') return true;
      return state === 'V' && (past === 'visible' || !contains(blockRange(canvas, canvas.block), position));
    };
    const ahead = lookaheadRule(lookahead, inputs);
    return {
      next(canvas, settled) {
        const end = totalLength(canvas);
        let { start } = canvas.window;
        while (start < end && passes(canvas, start) && settled(start)) start++;
        return { start, end: Math.min(start + (size ?? canvas.blockLength), end) };
      },
      lookahead: (canvas) => (isLastBlockDone(canvas) ? [] : ahead(canvas)),
      steps: null,
    };
  },
  contradicts({ size, past }, policy) {
    const { blockLength, cache, commit } = policy;
    const found = lookaheadContradicts(policy);
    if (cache.serves !== 'finished rows')
      found.push('window sliding leaves rows out, so cache must be prefix');
    if (cache.seal === 'pass')
      found.push('window sliding drops rows inside a block, so cache.seal must be delayed or as-is');
    if (size !== null && size < blockLength)
      found.push(
        `window.size (${size}) is below blockLength (${blockLength}); a window holds at least one block`,
      );
    if (past === 'stable' && commit.stages === null)
      found.push('window.past stable needs commit staged; other commits have no V');
    return found;
  },
  givesUp: nothing,
  technique: () => ({ name: 'multi-block speculation', without: overCachedBlocks }),
  draws: (blockLength) => ({
    size: [null, blockLength, blockLength + 1, blockLength + 6],
    past: ['visible', 'stable'],
    lookahead: lookaheadDraws,
  }),
});
