import { z } from 'zod';
import { nothing, type Part, plain } from '../definition.js';
import { BASELINE } from '../ladder.js';

export const blockLengthSchema = z.int().min(1).default(32).describe('§5.1');

export const blockOriginSchema = z
  .enum(['prompt', 'zero'])
  .default(BASELINE.blockOrigin)
  .describe(
    'prompt: blocks begin at the first generated position (LLaDA); zero: at position 0, so that the rest of the prompt shares a block with the first tokens (SDAR, LLaDA2)',
  );

type BlockOrigin = z.output<typeof blockOriginSchema>;

export const blockOrigin: Part<BlockOrigin> = {
  contradicts: (origin, { window }) =>
    origin === 'zero' && !window.blockAlone
      ? ['blockOrigin zero is for block-causal decoding, so window must be block without suffix']
      : [],
  givesUp: nothing,
  technique: plain,
};

export const blockOriginDraws = ['prompt', 'prompt', 'zero'] as const;
