import { z } from 'zod';
import { nothing, type Part } from '../definition.js';
import { BASELINE, overBaseline } from '../ladder.js';

/** Scale of classifier-free guidance. */
export const guidanceSchema = z
  .number()
  .min(0)
  .default(BASELINE.guidance)
  .describe(
    'scale of classifier-free guidance, cfg_scale of LLaDA; 0: off, as in §5.1. Above 0 every step has twice the rows',
  );

export const guidance: Part<number> = {
  contradicts(scale, { window, cache, revoke, speculate }) {
    const isWhole = window.relies === 'whole canvas' && !cache.stores;
    return scale === 0 || (isWhole && !revoke.shadows && !speculate.widens)
      ? []
      : [
          'guidance masks the prompt, which a cache holds unmasked: window canvas, cache none, no revoke, no exact speculation',
        ];
  },
  givesUp: nothing,
  technique: (scale) => (scale === 0 ? null : overBaseline('guidance', 'guidance')),
};

export const guidanceDraws = [0, 0, 1.5] as const;
