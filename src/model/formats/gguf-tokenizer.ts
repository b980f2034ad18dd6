import { DataError } from '../../errors.js';
import type { TokenizerJson } from '../tokenizer.js';
import type { GgufValue } from './gguf-types.js';

/** `tokenizer.ggml.token_type` of llama.cpp. */
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;
const UNUSED = 5;

/**
 * A byte-level BPE `tokenizer.json` as llama.cpp's "gpt2" tokenizer. llama.cpp adds no leading space, so a prompt
 * for a tokenizer with `add_prefix_space` must bring its own.
 * @param pre llama.cpp's name of how it cuts text into words
 * @param vocab rows of the embedding; ids without a token become unused placeholders
 * @throws DataError for a token id past the embedding or given twice, or no merges (llama.cpp refuses both)
 */
export function tokenizerToGguf(
  json: TokenizerJson,
  pre: string,
  vocab: number,
  label: string,
): Map<string, GgufValue> {
  const tokens: (string | undefined)[] = new Array<string | undefined>(vocab).fill(undefined);
  const types: number[] = new Array<number>(vocab).fill(UNUSED);
  const place = (token: string, id: number, type: number) => {
    if (id >= vocab)
      throw new DataError(`${label}: token ${token} has id ${id}, the embedding has ${vocab} rows`);
    if (tokens[id] !== undefined && tokens[id] !== token) {
      throw new DataError(`${label}: id ${id} is both ${tokens[id]} and ${token}`);
    }
    tokens[id] = token;
    types[id] = type;
  };
  for (const [token, id] of Object.entries(json.model.vocab)) place(token, id, NORMAL);
  for (const { content, id, special } of json.added_tokens)
    place(content, id, special ? CONTROL : USER_DEFINED);
  if (json.model.merges.length === 0) throw new DataError(`${label}: a BPE tokenizer without merges`);
  const merges = json.model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' ')));
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: pre }],
    [
      'tokenizer.ggml.tokens',
      { type: 'array', element: 'string', value: tokens.map((t, id) => t ?? `[UNUSED${id}]`) },
    ],
    ['tokenizer.ggml.token_type', { type: 'array', element: 'i32', value: types }],
    ['tokenizer.ggml.merges', { type: 'array', element: 'string', value: merges }],
  ]);
}
