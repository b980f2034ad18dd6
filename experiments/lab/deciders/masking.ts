import { DataError, UsageError } from '../../../src/errors.js';
import type { ModelConfig } from '../../../src/model/config.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { hashText, Random } from '../../../src/score/random.js';

/** A text between its start and end tokens, with some of its tokens masked. */
export interface MaskedText {
  /** The start token. */
  readonly promptIds: readonly number[];
  /** The text and the end token, masks in it. */
  readonly given: readonly number[];
  /** The same without masks. */
  readonly truth: readonly number[];
  /** Where the masks are, in `given`. */
  readonly masked: readonly number[];
}

/**
 * Masks a share of the tokens of a text, rounded, at least one. The same arguments give the same masks everywhere.
 * @param draw which of several maskings
 * @throws UsageError for a model without mask, start or end token; DataError for a text that its vocabulary cannot hold
 */
export function maskText(
  { maskId, bosId, endIds, name }: ModelConfig,
  tokenizer: Tokenizer,
  text: string,
  { share, draw, seed }: { readonly share: number; readonly draw: number; readonly seed: number },
): MaskedText {
  // A text ends with one token, and of several the files do not say which.
  const [endId, ...otherEnds] = endIds;
  if (maskId !== null && bosId !== null && otherEnds.length > 0)
    throw new UsageError(`${name} has ${endIds.length} end tokens: which of them ends a text is not known`);
  if (maskId === null || bosId === null || endId === undefined)
    throw new UsageError(`${name} has no mask, start or end token: its texts cannot be masked`);
  const ids = tokenizer.encode(text);
  // Some vocabularies begin every word with a space, the first one too.
  if (tokenizer.decode(ids).trim() !== text.trim())
    throw new DataError(`${text}: the vocabulary of ${name} cannot hold it`);
  const random = new Random(hashText(`${seed} ${draw} ${share} ${text}`));
  const count = Math.max(1, Math.round(share * ids.length));
  const masked = random.sample([...ids.keys()], count).sort((a, b) => a - b);
  const hidden = new Set(masked);
  const truth = [...ids, endId];
  return { promptIds: [bosId], given: truth.map((id, at) => (hidden.has(at) ? maskId : id)), truth, masked };
}
