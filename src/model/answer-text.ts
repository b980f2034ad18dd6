import type { LoadedModel } from './load.js';

/** Text of generated tokens, up to the end of text; null without a tokenizer. */
export function answerText(
  { config, tokenizer }: Pick<LoadedModel, 'config' | 'tokenizer'>,
  tokens: readonly number[],
): string | null {
  if (tokenizer === null) return null;
  const end = tokens.indexOf(config.eosId);
  return tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end)).trim();
}
