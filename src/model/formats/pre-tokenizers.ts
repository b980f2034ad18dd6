import { z } from 'zod';
import { FAMILIES } from '../families/index.js';
import type { TokenizerJson } from '../tokenizer.js';

const LETTERS = `[^\\r\\n\\p{L}\\p{N}]?\\p{L}+`;
const REST = ` ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const CONTRACTIONS = `(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])`;
const CJK = '[一-龥ࠀ-一가-퟿]+';

/** GPT-2's expression, which the byte-level pre-tokenizer has built in. */
const GPT2 = null;
const LLAMA3 = [`${CONTRACTIONS}|${LETTERS}|\\p{N}{1,3}|${REST}`];
const QWEN2 = [`${CONTRACTIONS}|${LETTERS}|\\p{N}|${REST}`];
const DIGITS_THEN_GPT2 = ['\\p{N}', GPT2];
/** The same where something is cut after it: the built-in one comes last. */
const GPT2_CUT = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
/** Letters but those of ASCII in lower, in upper case: what llama.cpp's engine can say of `[\p{Lu}...]` and `[\p{Ll}...]`. */
const UPPER = '(?:(?=\\p{L})[^a-z])';
const LOWER = '(?:(?=\\p{L})[^A-Z])';
/** Words that begin anew where lower case turns to upper case. @param end what may follow a word */
const cased = (end: string): string => {
  const before = '[^\\r\\n\\p{L}\\p{N}]?';
  return `${before}${UPPER}*${LOWER}+${end}|${before}${UPPER}+${LOWER}*${end}`;
};
const CASED_REST = REST.replace('[\\r\\n]*', '[\\r\\n/]*');
const GPT4O = [`${cased(`${CONTRACTIONS}?`)}|\\p{N}{1,3}|${CASED_REST}`];
const BLOOM = ' ?[^(\\s|.,!?…。，、।۔،)]+';
const DEEPSEEK_LETTERS =
  'A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚ\\u1E00-\\u1F15\\u1F18-\\u1F1D\\u1F20-\\u1F45\\u1F48-\\u1F4D\\u1F50-\\u1F57\\u1F59\\u1F5B\\u1F5D\\u1F5F-\\u1F7D\\u1F80-\\u1FB4\\u1FB6-\\u1FBC\\u1FBE\\u1FC2-\\u1FC4\\u1FC6-\\u1FCC\\u1FD0-\\u1FD3\\u1FD6-\\u1FDB\\u1FE0-\\u1FEC\\u1FF2-\\u1FF4\\u1FF6-\\u1FFC\\u2102\\u2107\\u210A-\\u2113\\u2115\\u2119-\\u211D\\u2124\\u2126\\u2128\\u212A-\\u212D\\u212F-\\u2134\\u2139\\u213C-\\u213F\\u2145-\\u2149\\u214E\\u2183\\u2184\\u2C00-\\u2C7B\\u2C7E-\\u2CE4\\u2CEB-\\u2CEE\\u2CF2\\u2CF3\\uA640-\\uA66D\\uA680-\\uA69B\\uA722-\\uA76F\\uA771-\\uA787\\uA78B-\\uA78E\\uAB70-\\uABBF\\uFB00-\\uFB06\\uFB13-\\uFB17Ａ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃';

/**
 * How text is cut into words, by `tokenizer.ggml.pre`: expressions that are applied one after another (names and
 * expressions of llama.cpp's src/llama-vocab.cpp). Some also go by the name of a family, which then uses them.
 */
const SPLITS: Readonly<Record<string, readonly (string | null)[]>> = {
  'gpt-2': [GPT2],
  'llama-bpe': LLAMA3,
  qwen2: QWEN2,
  bailingmoe: [
    `'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|${LETTERS}|\\p{N}|${REST.replace('[\\r\\n]+|', '[\\r\\n]|')}`,
  ],
  smollm: DIGITS_THEN_GPT2,
  'deepseek-llm': [
    '[\\r\\n]',
    `\\s?[${DEEPSEEK_LETTERS}]+`,
    '\\s?[!-/:-~！-／：-～‘-‟　-。]+',
    '\\s+$',
    CJK,
    '\\p{N}+',
  ],
  'deepseek-coder': ['[\\r\\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', CJK, '\\p{N}'],
  'deepseek-v3': [
    '\\p{N}{1,3}',
    '[一-龥぀-ゟ゠-ヿ]+',
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  ],
  tekken: [`${cased('')}|\\p{N}|${CASED_REST}`],
  'gpt-4o': GPT4O,
  falcon: ['[\\p{P}$+<=>\\^~|`]+', GPT2_CUT, '[0-9][0-9][0-9]'],
  bloom: [BLOOM],
  viking: [BLOOM, '\\p{N}'],
  // The same under other names.
  'poro-chat': [BLOOM],
  'gpt3-finnish': [BLOOM],
  llama4: GPT4O,
  kanana2: GPT4O,
  falcon3: LLAMA3,
  'falcon-h1': LLAMA3,
  pixtral: LLAMA3,
  'midm-2.0': LLAMA3,
  lfm2: LLAMA3,
  'phi-2': [GPT2],
  gigachat: [GPT2],
  'a.x-4.0': [GPT2],
  mellum: [GPT2],
  exaone4: [GPT2],
  trillion: [GPT2],
  'granite-docling': [GPT2],
  'minerva-7b': DIGITS_THEN_GPT2,
  megrez: QWEN2,
  'solar-open': QWEN2,
  kormo: QWEN2,
  mpt: [GPT2],
  olmo: [GPT2],
  jais: [GPT2],
  llama3: LLAMA3,
  'llama-v3': LLAMA3,
  dbrx: LLAMA3,
  'smaug-bpe': LLAMA3,
  'chatglm-bpe': LLAMA3,
  stablelm2: QWEN2,
  'deepseek-r1-qwen': QWEN2,
  starcoder: DIGITS_THEN_GPT2,
  refact: DIGITS_THEN_GPT2,
  'command-r': DIGITS_THEN_GPT2,
  codeshell: DIGITS_THEN_GPT2,
  exaone: DIGITS_THEN_GPT2,
};

export const PRE_TOKENIZERS: readonly string[] = Object.keys(SPLITS);

/** Names under which llama.cpp takes a word that is a token as it is, and begins a text with its start by default. */
export const WHOLE_WORD_NAMES: readonly string[] = [
  ...Object.keys(SPLITS).filter(
    (name) => SPLITS[name] === LLAMA3 && !['dbrx', 'smaug-bpe', 'chatglm-bpe'].includes(name),
  ),
  'tekken',
];

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };

/** The `pre_tokenizer` of a `tokenizer.json` for a name of llama.cpp; undefined for one that is not known. */
export function preTokenizerOf(pre: string): Record<string, unknown> | undefined {
  const splits = SPLITS[FAMILIES.find(({ name }) => name === pre)?.text.pre ?? pre];
  if (splits === undefined) return undefined;
  const byteLevel = { ...BYTE_LEVEL, use_regex: splits.includes(GPT2) };
  const splitters = splits
    .filter((split) => split !== null)
    .map((split) => ({ type: 'Split', pattern: { Regex: split }, behavior: 'Isolated', invert: false }));
  return splitters.length === 0 ? byteLevel : { type: 'Sequence', pretokenizers: [...splitters, byteLevel] };
}

const byteLevelSchema = z
  .looseObject({ type: z.literal('ByteLevel'), use_regex: z.boolean().default(true) })
  .transform(({ use_regex: cuts }) => (cuts ? [GPT2] : []));
const splitSchema = z
  .looseObject({
    type: z.literal('Split'),
    pattern: z.looseObject({ Regex: z.string() }),
    behavior: z.literal('Isolated'),
    invert: z.literal(false).default(false),
  })
  .transform(({ pattern }) => [plainRegex(pattern.Regex)]);
const digitsSchema = z
  .looseObject({ type: z.literal('Digits'), individual_digits: z.literal(true) })
  .transform(() => ['\\p{N}']);
const stageSchema = z.union([byteLevelSchema, splitSchema, digitsSchema]);
const sequenceSchema = z.looseObject({ type: z.literal('Sequence'), pretokenizers: z.array(stageSchema) });

/** llama.cpp's name for how a tokenizer cuts text into words; null where it has none that is known here. */
export function preTokenizerName({ pre_tokenizer: pre }: TokenizerJson): string | null {
  if (!isByteLevel(pre)) return null;
  const sequence = sequenceSchema.safeParse(pre);
  const single = byteLevelSchema.safeParse(pre);
  const stages = sequence.success ? sequence.data.pretokenizers.flat() : single.data;
  if (stages === undefined) return null;
  return PRE_TOKENIZERS.find((name) => JSON.stringify(SPLITS[name]) === JSON.stringify(stages)) ?? null;
}

/** Words are turned into bytes in the end, and nowhere before. */
function isByteLevel(pre: unknown): boolean {
  const typed = z.looseObject({ type: z.string() });
  const stages = z.looseObject({ pretokenizers: z.array(typed) }).safeParse(pre);
  const types = stages.success
    ? stages.data.pretokenizers.map(({ type }) => type)
    : [typed.safeParse(pre).data?.type];
  return types.indexOf('ByteLevel') === types.length - 1;
}

/** An expression as published, with what llama.cpp writes for its groups without case and possessive repeats. */
function plainRegex(regex: string): string {
  return regex
    .replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)", CONTRACTIONS)
    .replace("'(?i:[sdmt]|ll|ve|re)", "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])")
    .replaceAll('?+', '?')
    .replaceAll('++', '+');
}
