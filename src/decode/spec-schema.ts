import { z } from 'zod';
import { BASELINE } from './rules/ladder.js';
import { NUMBER_TYPES } from './rules/number-type.js';
import { RULES } from './rules/registry.js';
import { blockLengthSchema, blockOriginSchema } from './rules/settings/blocks.js';
import { endOfTextSchema, KEEP_END_OF_TEXT } from './rules/settings/end-of-text.js';
import { guidanceSchema } from './rules/settings/guidance.js';
import { reviseSchema } from './rules/settings/revise.js';
import { stopSchema } from './rules/settings/stop.js';

/** One of the rules of a kind, told apart by `kind`, which must be the name it is registered under. */
function oneOf<
  R extends { [Name in keyof R]: { readonly schema: z.ZodObject<{ kind: z.ZodLiteral<Name & string> }> } },
>(registry: R) {
  type Schema = R[keyof R]['schema'];
  const schemas: Schema[] = Object.values<{ readonly schema: Schema }>(registry).map(({ schema }) => schema);
  return z.discriminatedUnion('kind', schemas as [Schema, ...Schema[]]);
}

function nameOf<R extends object>(registry: R) {
  return z.enum(Object.keys(registry) as (keyof R & string)[]);
}

/**
 * A decoding method as data. Every parameter that arXiv:2606.13740 leaves open is an option here with a default;
 * `.describe()` gives the reason for the default. Unknown keys and contradictory options are refused.
 */
export const policySpecSchema = z.strictObject({
  name: z.string().min(1).max(400),
  description: z.string().default(''),
  source: z.string().default(''),
  blockLength: blockLengthSchema,
  blockOrigin: blockOriginSchema,
  confidence: nameOf(RULES.confidence)
    .default(BASELINE.confidence)
    .describe('the paper defines no formula; LLaDA and Fast-dLLM use the softmax of the best token'),
  sampling: oneOf(RULES.sampling).default(BASELINE.sampling).describe('greedy: temperature 0, as in §5.1'),
  endOfText: endOfTextSchema.default(KEEP_END_OF_TEXT).describe('keep: the paper says nothing'),
  confidenceType: z
    .enum(NUMBER_TYPES)
    .default('f64')
    .describe(
      'number format of probabilities and confidences: f64 has the fewest ties; published code runs in the type of the model (bf16)',
    ),
  guidance: guidanceSchema,
  window: oneOf(RULES.window),
  cache: oneOf(RULES.cache),
  commit: oneOf(RULES.commit),
  speculate: oneOf(RULES.speculate).default(BASELINE.speculate),
  revise: reviseSchema.default(BASELINE.revise),
  revoke: oneOf(RULES.revoke)
    .default(BASELINE.revoke)
    .describe('none: only WINO takes committed tokens back'),
  refresh: oneOf(RULES.refresh).default(BASELINE.refresh),
  logits: nameOf(RULES.logits)
    .default(BASELINE.logits)
    .describe('all rows of the pass, or only rows that can still change (selective logits skipping)'),
  final: oneOf(RULES.final)
    .default(BASELINE.final)
    .describe('V left after the last block: accepted and reported, or swept'),
  stop: stopSchema,
});

/** A complete spec: every default filled in. */
export type PolicySpec = z.output<typeof policySpecSchema>;
/** What a user writes: defaults may be left out. */
export type PolicySpecInput = z.input<typeof policySpecSchema>;
