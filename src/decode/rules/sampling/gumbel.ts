import { z } from 'zod';
import { defineRule, nothing, plain } from '../definition.js';
import { seed } from '../random.js';
import { drawToken } from './draw-token.js';

/** LLaDA's: the token maximises l - T ln(-ln u) in f64, the confidence is that of the plain softmax. */
export const gumbel = defineRule(
  'sampling',
  z.strictObject({
    kind: z.literal('gumbel'),
    temperature: z.number().min(0).default(1).describe('T of LLaDA: the token samples softmax(l / T)'),
    seed,
  }),
)({
  facts: () => ({ random: true }),
  rule: ({ temperature, seed: draws }) => ({
    seed: draws,
    temperature,
    pick: (logits, maskId, at) => ({
      token: drawToken(logits, maskId, temperature, draws, at),
      judged: logits,
    }),
  }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
  draws: () => ({ temperature: [0, 0.5, 1, 3], seed: [0, 1, 2] }),
});
