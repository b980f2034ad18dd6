import type { LoadedModel } from './load.js';
import { textLength } from './text-length.js';

/** A prompt whose masks were filled in: what stands before the first of them, and the rest. */
export interface FilledIn {
  readonly promptIds: readonly number[];
  readonly given: readonly number[];
}

/**
 * Text of generated tokens, up to the end of text; null without a tokenizer.
 * @param filledIn the text begins with the prompt, and an end token that it holds ends nothing
 */
export function answerText(
  { config, tokenizer }: Pick<LoadedModel, 'config' | 'tokenizer'>,
  tokens: readonly number[],
  filledIn: FilledIn = { promptIds: [], given: [] },
): string | null {
  if (tokenizer === null) return null;
  const { promptIds, given } = filledIn;
  const length = given.length + textLength(tokens.slice(given.length), config.endIds);
  return tokenizer.decode([...promptIds, ...tokens.slice(0, length)]).trim();
}
