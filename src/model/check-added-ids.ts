import { DataError } from '../errors.js';
import type { EncodingToCheck } from './check-tokenizer.js';

/**
 * Refuses a `tokenizer.json` whose added tokens have other ids than Hugging Face's `tokenizers` give them: these read the
 * ids of the vocabulary, and count on behind it whatever the file says.
 * @throws DataError naming the token and both ids
 */
export function checkAddedIds({ model, added_tokens: added }: EncodingToCheck, label: string): void {
  const { vocab } = model;
  let next = Object.keys(vocab).length;
  for (const { content, id } of added) {
    if (Object.hasOwn(vocab, content)) continue;
    if (id !== next)
      throw new DataError(
        `${label}: added token ${content} has the id ${id}, and Hugging Face's tokenizers would give it ${next}: give --prompt-ids`,
      );
    next++;
  }
}
