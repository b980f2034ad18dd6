import { z } from 'zod';
import { DataError } from '../../errors.js';
import { type Architecture, FAMILIES, familyOf } from '../families/index.js';
import type { TokenizerJson } from '../tokenizer.js';
import type { GgufMetadata, GgufValue } from './gguf-types.js';

/** `tokenizer.ggml.token_type` of tokens that are matched as a whole before the text is split. */
const CONTROL = 3;
const USER_DEFINED = 4;

const LETTERS = `[^\\r\\n\\p{L}\\p{N}]?\\p{L}+`;
const REST = ` ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const CONTRACTIONS = `(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])`;

/**
 * How text is cut into words, by `tokenizer.ggml.pre` (names and expressions of llama.cpp's src/llama-vocab.cpp).
 * Null stands for GPT-2's expression, which the byte-level pre-tokenizer has built in. Some also go by the name of a
 * family, which then uses them.
 */
const SPLITS: Readonly<Record<string, string | null>> = {
  'gpt-2': null,
  'llama-bpe': `${CONTRACTIONS}|${LETTERS}|\\p{N}{1,3}|${REST}`,
  qwen2: `${CONTRACTIONS}|${LETTERS}|\\p{N}|${REST}`,
  bailingmoe: `'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|${LETTERS}|\\p{N}|${REST.replace('[\\r\\n]+|', '[\\r\\n]|')}`,
};

const strings = z.array(z.string());
const types = z.array(z.number().int());

/**
 * The byte-level BPE tokenizer inside a GGUF file as a `tokenizer.json`; null when the file has none.
 * @throws DataError naming file, key and reason
 */
export function tokenizerFromGguf(
  metadata: GgufMetadata,
  arch: Architecture,
  label: string,
): TokenizerJson | null {
  const model = entryOf(metadata, 'tokenizer.ggml.model');
  if (model === undefined || model === 'none') return null;
  if (model !== 'gpt2') {
    throw new DataError(
      `${label}: tokenizer.ggml.model "${String(model)}" is not supported, only gpt2 (byte-level BPE)`,
    );
  }
  const tokens = read(strings, metadata, 'tokens', label) ?? [];
  const kinds = read(types, metadata, 'token_type', label) ?? [];
  const merges = read(strings, metadata, 'merges', label) ?? [];
  const named = entryOf(metadata, 'tokenizer.ggml.pre');
  const pre = typeof named === 'string' && named !== 'default' ? named : familyOf(arch).text.pre;
  const split = SPLITS[FAMILIES.find(({ name }) => name === pre)?.text.pre ?? pre];
  if (split === undefined) {
    throw new DataError(
      `${label}: tokenizer.ggml.pre "${pre}" is not supported (${Object.keys(SPLITS).join(', ')})`,
    );
  }
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: split === null,
  };
  const splitter = { type: 'Split', pattern: { Regex: split }, behavior: 'Isolated', invert: false };
  return {
    added_tokens: tokens.flatMap((content, id) => {
      const kind = kinds[id];
      if (kind !== CONTROL && kind !== USER_DEFINED) return [];
      const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
      return [{ id, content, special: kind === CONTROL, ...plain }];
    }),
    normalizer: null,
    pre_tokenizer: split === null ? byteLevel : { type: 'Sequence', pretokenizers: [splitter, byteLevel] },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      fuse_unk: false,
      byte_fallback: false,
      // Llama 3 takes a word that is a token as it is, whatever its merges would give.
      ignore_merges: pre === 'llama-bpe',
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

/** The entries of a file that describe its tokenizer. */
export function tokenizerEntries(metadata: GgufMetadata): Map<string, GgufValue> {
  return new Map([...metadata].filter(([key]) => key.startsWith('tokenizer.')));
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
