import type { LoadedModel } from './load.js';
import { textLength } from './text-length.js';

/** Text of generated tokens, up to the end of text; null without a tokenizer. */
export function answerText(
  { config, tokenizer }: Pick<LoadedModel, 'config' | 'tokenizer'>,
  tokens: readonly number[],
): string | null {
  if (tokenizer === null) return null;
  return tokenizer.decode(tokens.slice(0, textLength(tokens, config.endIds))).trim();
}
