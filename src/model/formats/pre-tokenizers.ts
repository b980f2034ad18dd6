import { z } from 'zod';
import { FAMILIES } from '../families/index.js';
import type { TokenizerJson } from '../tokenizer.js';

const LETTERS = `[^\\r\\n\\p{L}\\p{N}]?\\p{L}+`;
const REST = ` ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const CONTRACTIONS = `(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])`;

/**
 * How text is cut into words, by `tokenizer.ggml.pre` (names and expressions of llama.cpp's src/llama-vocab.cpp).
 * Null stands for GPT-2's expression, which the byte-level pre-tokenizer has built in. Some also go by the name of a
 * family, which then uses them.
 */
const SPLITS: Readonly<Record<string, string | null>> = {
  'gpt-2': null,
  'llama-bpe': `${CONTRACTIONS}|${LETTERS}|\\p{N}{1,3}|${REST}`,
  qwen2: `${CONTRACTIONS}|${LETTERS}|\\p{N}|${REST}`,
  bailingmoe: `'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|${LETTERS}|\\p{N}|${REST.replace('[\\r\\n]+|', '[\\r\\n]|')}`,
};

export const PRE_TOKENIZERS: readonly string[] = Object.keys(SPLITS);

/** The `pre_tokenizer` of a `tokenizer.json` for a name of llama.cpp; undefined for one that is not known. */
export function preTokenizerOf(pre: string): Record<string, unknown> | undefined {
  const split = SPLITS[FAMILIES.find(({ name }) => name === pre)?.text.pre ?? pre];
  if (split === undefined) return undefined;
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: split === null,
  };
  if (split === null) return byteLevel;
  const splitter = { type: 'Split', pattern: { Regex: split }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [splitter, byteLevel] };
}

const byteLevelSchema = z.looseObject({ type: z.literal('ByteLevel'), use_regex: z.boolean().default(true) });
const splitSchema = z.looseObject({
  type: z.literal('Split'),
  pattern: z.looseObject({ Regex: z.string() }),
  behavior: z.literal('Isolated'),
  invert: z.literal(false).default(false),
});
const sequenceSchema = z.looseObject({
  type: z.literal('Sequence'),
  pretokenizers: z.tuple([splitSchema, byteLevelSchema.extend({ use_regex: z.literal(false) })]),
});

/** llama.cpp's name for how a tokenizer cuts text into words; null where it has none that is known here. */
export function preTokenizerName({ pre_tokenizer: pre }: TokenizerJson): string | null {
  const byteLevel = byteLevelSchema.safeParse(pre);
  if (byteLevel.success) return byteLevel.data.use_regex ? 'gpt-2' : null;
  const sequence = sequenceSchema.safeParse(pre);
  if (!sequence.success) return null;
  const regex = plainRegex(sequence.data.pretokenizers[0].pattern.Regex);
  return PRE_TOKENIZERS.find((name) => SPLITS[name] === regex) ?? null;
}

/** An expression as published, with what llama.cpp writes for its groups without case and possessive repeats. */
function plainRegex(regex: string): string {
  return regex
    .replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", CONTRACTIONS)
    .replace("'(?i:[sdmt]|ll|ve|re)", "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])")
    .replaceAll('?+', '?')
    .replaceAll('++', '+');
}
