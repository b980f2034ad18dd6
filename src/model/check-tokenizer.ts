import { DataError } from '../errors.js';
import { checkTextSteps, type TextSteps } from './check-text-steps.js';

/** What is looked at in a `tokenizer.json`. */
export interface EncodingToCheck extends TextSteps {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (string | readonly [string, string])[];
    readonly [key: string]: unknown;
  };
  readonly added_tokens: readonly {
    readonly id: number;
    readonly content: string;
    readonly single_word?: unknown;
  }[];
}

/**
 * Refuses a byte-pair encoding that the library would read without a word and encode differently than the `tokenizers`
 * of Hugging Face, which refuse it, draw at random, or mean something else by it.
 * @throws DataError naming what is wrong
 */
export function checkTokenizer(json: EncodingToCheck, label: string): void {
  const { model, added_tokens: added } = json;
  const refuse = (reason: string): DataError => new DataError(`${label}: ${reason}`);
  const { vocab, merges } = model;
  if (typeof model.dropout === 'number' && model.dropout > 0)
    throw refuse(`model.dropout ${model.dropout}: the same text has other ids each time`);
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix'] as const) {
    if (typeof model[key] === 'string' && model[key] !== '')
      throw refuse(`model.${key} ${JSON.stringify(model[key])} is not supported`);
  }
  const tokens = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    const other = tokens.get(id);
    if (other !== undefined) throw refuse(`id ${id} is both ${other} and ${token}`);
    tokens.set(id, token);
  }
  const ids = new Map<string, number>();
  for (const { content, id, single_word: whole } of added) {
    if (whole === true) throw refuse(`added token ${content}: single_word is not supported`);
    const own = Object.hasOwn(vocab, content) ? vocab[content] : id;
    if (own !== id) throw refuse(`${content} has the ids ${own} and ${id}`);
    const other = tokens.get(id);
    if (other !== undefined && other !== content) throw refuse(`id ${id} is both ${other} and ${content}`);
    const before = ids.get(content);
    if (before !== undefined && before !== id) throw refuse(`${content} has the ids ${before} and ${id}`);
    tokens.set(id, content);
    ids.set(content, id);
  }
  checkTextSteps(
    json,
    (token) => ids.get(token) ?? (Object.hasOwn(vocab, token) ? vocab[token] : undefined),
    label,
  );
  for (const [at, merge] of merges.entries()) {
    const parts = typeof merge === 'string' ? merge.split(' ') : merge;
    if (parts.length !== 2) throw refuse(`merge ${at} (${JSON.stringify(merge)}) has ${parts.length} parts`);
    const missing = [...parts, parts.join('')].find((token) => !Object.hasOwn(vocab, token));
    if (missing !== undefined)
      throw refuse(`merge ${at} (${parts.join(' ')}) needs the token ${missing}, which the vocabulary lacks`);
  }
}
