import { z } from 'zod';
import { DataError } from '../../errors.js';
import { type Architecture, familyOf } from '../families/index.js';
import type { TokenizerJson } from '../tokenizer.js';
import { sentencePieceJson } from './gguf-sentencepiece.js';
import type { GgufMetadata } from './gguf-types.js';
import { PRE_TOKENIZERS, preTokenizerOf, WHOLE_WORD_NAMES } from './pre-tokenizers.js';

/** `tokenizer.ggml.token_type` of tokens that are matched as a whole before the text is split. */
const CONTROL = 3;
const USER_DEFINED = 4;

/** `tokenizer.ggml.model`, by names that llama.cpp took from the first models it read. */
const KINDS = { gpt2: 'byte-level BPE', llama: 'SentencePiece' } as const;

const kindOf = (model: unknown): string | undefined =>
  Object.entries(KINDS).find(([name]) => name === model)?.[1];

/** Whether the tokenizer of a file is SentencePiece. */
export function isSentencePiece(metadata: GgufMetadata): boolean {
  return kindOf(entryOf(metadata, 'tokenizer.ggml.model')) === 'SentencePiece';
}

const strings = z.array(z.string());
const types = z.array(z.number().int());

/**
 * The tokenizer inside a GGUF file, byte-level BPE or SentencePiece, as a `tokenizer.json`; null when the file has none.
 * @throws DataError naming file, key and reason
 */
export function tokenizerFromGguf(
  metadata: GgufMetadata,
  arch: Architecture,
  label: string,
): TokenizerJson | null {
  const model = entryOf(metadata, 'tokenizer.ggml.model');
  if (model === undefined || model === 'none') return null;
  if (isSentencePiece(metadata)) return sentencePiece(metadata, label);
  if (kindOf(model) !== 'byte-level BPE') {
    throw new DataError(
      `${label}: tokenizer.ggml.model "${String(model)}" is not supported, only ${Object.entries(KINDS)
        .map(([name, kind]) => `${name} (${kind})`)
        .join(' and ')}`,
    );
  }
  const tokens = required(read(strings, metadata, 'tokens', label), 'tokens', label);
  const merges = required(read(strings, metadata, 'merges', label), 'merges', label);
  const kinds = read(types, metadata, 'token_type', label) ?? [];
  if (kinds.length > 0 && kinds.length !== tokens.length)
    throw new DataError(
      `${label}: tokenizer.ggml.token_type has ${kinds.length} entries for ${tokens.length} tokens`,
    );
  const named = entryOf(metadata, 'tokenizer.ggml.pre');
  if (named !== undefined && typeof named !== 'string')
    throw new DataError(`${label}: tokenizer.ggml.pre ${String(named)} is no name`);
  const pre = named === undefined || named === 'default' ? familyOf(arch).text.pre : named;
  const preTokenizer = preTokenizerOf(pre);
  if (preTokenizer === undefined) {
    throw new DataError(
      `${label}: tokenizer.ggml.pre "${pre}" is not supported (${PRE_TOKENIZERS.join(', ')})`,
    );
  }
  return {
    added_tokens: tokens.flatMap((content, id) => {
      const kind = kinds[id];
      if (kind !== CONTROL && kind !== USER_DEFINED) return [];
      const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
      return [{ id, content, special: kind === CONTROL, ...plain }];
    }),
    normalizer: null,
    pre_tokenizer: preTokenizer,
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: WHOLE_WORD_NAMES.includes(pre),
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

/** @throws DataError naming the key that is missing or wrong */
function sentencePiece(metadata: GgufMetadata, label: string): TokenizerJson {
  const tokens = required(read(strings, metadata, 'tokens', label), 'tokens', label);
  const scores = required(read(z.array(z.number()), metadata, 'scores', label), 'scores', label);
  const kinds = required(read(types, metadata, 'token_type', label), 'token_type', label);
  const unknown = read(z.int().min(0), metadata, 'unknown_token_id', label);
  if (scores.length !== tokens.length || kinds.length !== tokens.length)
    throw new DataError(`${label}: tokenizer.ggml.scores and token_type do not fit ${tokens.length} tokens`);
  if (unknown !== undefined && unknown >= tokens.length)
    throw new DataError(`${label}: tokenizer.ggml.unknown_token_id ${unknown} of ${tokens.length} tokens`);
  return sentencePieceJson({
    tokens,
    scores,
    types: kinds,
    prefixSpace: read(z.boolean(), metadata, 'add_space_prefix', label) ?? true,
    unknown: unknown === undefined ? undefined : tokens[unknown],
  });
}

function required<T>(value: T | undefined, name: string, label: string): T {
  if (value === undefined) throw new DataError(`${label}: tokenizer.ggml.${name} is missing`);
  return value;
}

function entryOf(metadata: GgufMetadata, key: string): unknown {
  return metadata.get(key)?.value;
}

function read<T>(schema: z.ZodType<T>, metadata: GgufMetadata, name: string, label: string): T | undefined {
  const key = `tokenizer.ggml.${name}`;
  const value = entryOf(metadata, key);
  if (value === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new DataError(`${label}: ${key}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}
