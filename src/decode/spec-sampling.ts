import { z } from 'zod';

/** Options of a policy that say how a row of logits becomes a token. */

export const seed = z.int().min(0).default(0).describe('seed of the counter-based random numbers');

export const sampling = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('greedy') }),
  z.strictObject({
    kind: z.literal('gumbel'),
    temperature: z.number().min(0).default(1).describe('T of LLaDA: the token samples softmax(l / T)'),
    seed,
  }),
  z.strictObject({
    kind: z.literal('filtered'),
    temperature: z
      .number()
      .min(0)
      .default(0.2)
      .describe('Dream recommends 0.2 (0.1 for the published instruct scores); 0 takes the best token'),
    topP: z.number().positive().max(1).nullable().default(0.95).describe('Dream and llama.cpp: 0.95'),
    topK: z.int().min(1).nullable().default(null).describe('null: no limit; llama.cpp: 40'),
    order: z
      .enum(['dream', 'llama.cpp'])
      .default('dream')
      .describe('dream: temperature, top-p, top-k; llama.cpp: top-k, top-p, temperature'),
    seed,
  }),
]);

export const endOfText = z.strictObject({
  logit: z
    .enum(['keep', 'never'])
    .default('keep')
    .describe('never: end-of-text cannot be chosen (logits_eos_inf of LLaDA, used for HumanEval)'),
  confidence: z
    .enum(['keep', 'last', 'upstream'])
    .default('keep')
    .describe(
      'last: end-of-text and end-of-turn have no confidence and are committed last (confidence_eos_eot_inf of LLaDA, used for GSM8K); upstream: at a temperature above 0 only end-of-turn, as its code does',
    ),
  turnId: z
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe('id of the end-of-turn token, 126348 for LLaDA; null: the model has none'),
});
