import { DataError } from '../errors.js';

// What a tokenizer.json does before and after its model. The library knows every step by name and leaves some of their
// settings aside: those are refused here, as they would cut a text differently than the `tokenizers` of Hugging Face
// without a word. What is let through was compared with them (test/golden/tokenizer-steps.json).

/** A step, or a sequence of steps, as written. */
type Step = Readonly<Record<string, unknown>>;

/** Why a step is refused; null for one that is not. */
type Judge = (step: Step) => string | null;

const fine: Judge = () => null;
const unless = (isFine: boolean, why: string): string | null => (isFine ? null : why);

const NORMALIZERS: Readonly<Record<string, Judge>> = {
  NFC: fine,
  NFD: fine,
  NFKC: fine,
  NFKD: fine,
  Lowercase: fine,
  StripAccents: fine,
  Strip: fine,
  Prepend: fine,
  BertNormalizer: fine,
  Replace: ({ content, pattern }) =>
    typeof content === 'string' && content.includes('$')
      ? `content ${JSON.stringify(content)}: a dollar would stand for what was found`
      : regexFault(pattern),
};

const PRE_TOKENIZERS: Readonly<Record<string, Judge>> = {
  ByteLevel: fine,
  Digits: fine,
  Punctuation: ({ behavior = 'Isolated' }) =>
    unless(
      ['Isolated', 'Contiguous', 'Removed'].includes(String(behavior)),
      `behavior ${behavior}: only Isolated, Contiguous and Removed are supported`,
    ),
  Metaspace: ({ split = true }) => unless(split === false, 'split true is not supported'),
  Split: ({ behavior, invert = false, pattern }) => {
    const removes = behavior === 'Removed' && isRegex(pattern);
    if (!removes && behavior !== 'Isolated')
      return `behavior ${behavior}${invert ? ', inverted' : ''}: only Isolated, and Removed of an expression, are supported`;
    return regexFault(pattern);
  },
};

function isRegex(pattern: unknown): pattern is { readonly Regex: string } {
  return typeof pattern === 'object' && pattern !== null && 'Regex' in pattern;
}

/** Forms that mean something else in JavaScript than in Oniguruma, and are no error there. */
const OTHER_FORMS: readonly (readonly [RegExp, string])[] = [
  [/\(\?>/, 'an atomic group'],
  [/(?<!\\)(?:[?*+]|\{\d+(?:,\d*)?\})\+/, 'a possessive quantifier'],
  [/(?<!\\)\{\d+\}\?/, 'a question mark behind a number of times'],
  [/(?<!\\)\{,\d+\}/, 'a number of times without a least one'],
];

function regexFault(pattern: unknown): string | null {
  if (!isRegex(pattern)) return null;
  // What is escaped, or stands in brackets, is no form.
  const bare = pattern.Regex.replace(/\\./gs, '_').replace(/\[[^\]]*\]/g, '_');
  const other = OTHER_FORMS.find(([form]) => form.test(bare));
  return other === undefined ? null : `the expression has ${other[1]}, which means something else here`;
}

/** Steps in their order, sequences opened. */
function stepsOf(step: unknown, held: string): readonly Step[] {
  if (typeof step !== 'object' || step === null) return [];
  const one = step as Step;
  const inside = one[held];
  return one.type === 'Sequence' && Array.isArray(inside)
    ? inside.flatMap((each) => stepsOf(each, held))
    : [one];
}

/** What is looked at. */
export interface TextSteps {
  readonly normalizer?: unknown;
  readonly pre_tokenizer?: unknown;
  readonly post_processor?: unknown;
  readonly model: Readonly<Record<string, unknown>>;
}

/**
 * @param idOf id of a token
 * @throws DataError naming the step and the setting that would be left aside
 */
export function checkTextSteps(
  { normalizer, pre_tokenizer: pre, post_processor: post, model }: TextSteps,
  idOf: (token: string) => number | undefined,
  label: string,
): void {
  const check = (kind: string, steps: readonly Step[], table: Readonly<Record<string, Judge>>) => {
    for (const step of steps) {
      const type = String(step.type);
      const judge = Object.hasOwn(table, type) ? table[type] : () => 'this step is not supported';
      const why = judge(step);
      if (why !== null) throw new DataError(`${label}: ${kind} ${type}: ${why}`);
    }
  };
  const before = stepsOf(pre, 'pretokenizers');
  check('normalizer', stepsOf(normalizer, 'normalizers'), NORMALIZERS);
  check('pre_tokenizer', before, PRE_TOKENIZERS);
  const knowsAll = before.some(({ type }) => type === 'ByteLevel') || model.byte_fallback === true;
  if (!knowsAll && typeof model.unk_token !== 'string')
    throw new DataError(`${label}: model.unk_token: none for characters that the vocabulary lacks`);
  for (const step of stepsOf(post, 'processors')) checkMarks(step, idOf, label);
}

/** Marks around a text are found by their names, whatever ids stand beside them. */
function checkMarks(step: Step, idOf: (token: string) => number | undefined, label: string): void {
  const marks = Object.entries((step.special_tokens ?? {}) as Readonly<Record<string, unknown>>);
  for (const [name, mark] of marks) {
    const { ids } = mark as { readonly ids?: unknown };
    const id = idOf(name);
    if (!Array.isArray(ids) || ids.length !== 1 || ids[0] !== id)
      throw new DataError(
        `${label}: post_processor ${step.type}: ${name} has the ids ${JSON.stringify(ids)}, in the vocabulary ${id ?? 'none'}`,
      );
  }
}
