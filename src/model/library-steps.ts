type Step = Readonly<Record<string, unknown>>;

/** What Hugging Face's `tokenizers` call punctuation: Unicode's, and all of ASCII's signs. */
const PUNCTUATION = '[\\p{P}$+<=>^`|~]';

/**
 * A `pre_tokenizer` in steps that the library takes as they are meant: for it, numbers are decimal digits only, and signs of
 * punctuation always run together.
 */
export function librarySteps(step: unknown): unknown {
  if (typeof step !== 'object' || step === null) return step;
  const one = step as Step;
  if (one.type === 'Sequence' && Array.isArray(one.pretokenizers))
    return { ...one, pretokenizers: one.pretokenizers.map(librarySteps) };
  if (one.type === 'Digits') return split(one.individual_digits === true ? '\\p{N}' : '\\p{N}+');
  if (one.type === 'Punctuation') {
    const { behavior = 'Isolated' } = one;
    return split(
      behavior === 'Contiguous' ? `${PUNCTUATION}+` : PUNCTUATION,
      behavior === 'Contiguous' ? 'Isolated' : behavior,
    );
  }
  // What is found and what is not are pieces either way.
  if (one.type === 'Split' && one.behavior === 'Isolated') return { ...one, invert: false };
  return one;
}

function split(expression: string, behavior: unknown = 'Isolated'): Step {
  return { type: 'Split', pattern: { Regex: expression }, behavior, invert: false };
}
