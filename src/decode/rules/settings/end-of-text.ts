import { z } from 'zod';
import { type Draws, nothing, type Part, plain } from '../definition.js';

/** What is special about end-of-text and end-of-turn. */
export const endOfTextSchema = z.strictObject({
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

export type EndOfTextSpec = z.output<typeof endOfTextSchema>;

export const KEEP_END_OF_TEXT: EndOfTextSpec = { logit: 'keep', confidence: 'keep', turnId: null };

export const endOfText: Part<EndOfTextSpec> = {
  contradicts: ({ confidence, turnId }) =>
    confidence === 'upstream' && turnId === null
      ? ['endOfText.confidence upstream tells two tokens apart, so endOfText.turnId must be given']
      : [],
  givesUp: nothing,
  technique: plain,
};

export const endOfTextDraws: Draws<EndOfTextSpec> = {
  logit: ['keep', 'keep', 'never'],
  confidence: ['keep', 'keep', 'last', 'upstream'],
  turnId: [null, 8],
};
