import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { DataError } from '../errors.js';
import { parseAs, parseJson } from '../util/read-file.js';
import { within } from '../util/within.js';
import { checkAddedIds } from './check-added-ids.js';
import { checkTokenizer } from './check-tokenizer.js';
import { librarySteps } from './library-steps.js';

/** What this project relies on in a tokenizer.json; the library reads the rest. */
const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.literal('BPE', 'only byte-pair encodings are supported'),
    vocab: z.record(z.string(), z.number().int().nonnegative()),
    merges: z.array(z.union([z.string(), z.tuple([z.string(), z.string()])])),
  }),
  added_tokens: z
    .array(z.looseObject({ id: z.number().int().nonnegative(), content: z.string(), special: z.boolean() }))
    .default([]),
});

export type TokenizerJson = z.infer<typeof tokenizerSchema>;

export interface DecodeOptions {
  /** Leaves out special tokens such as the end of text. Default true. */
  readonly skipSpecial?: boolean;
}

export interface EncodeOptions {
  /** Puts around the text what the `post_processor` of its tokenizer.json puts there. Default false. */
  readonly addSpecial?: boolean;
}

/** Text to token ids and back. Adds no tokens of its own unless it is asked to: templates are the caller's. */
export interface Tokenizer {
  /** Size of the vocabulary, added tokens included. */
  readonly size: number;
  /** Token ids of a text. */
  encode(text: string, options?: EncodeOptions): number[];
  /** Ids that are not in the vocabulary decode to nothing. */
  decode(ids: readonly number[], options?: DecodeOptions): string;
  /** The token as it is written in the vocabulary; undefined outside it. */
  token(id: number): string | undefined;
  /** Id of a token written exactly as in the vocabulary. */
  id(token: string): number | undefined;
}

/**
 * The content of a Hugging Face `tokenizer.json`, checked.
 * @param label what errors call it
 * @throws DataError naming what is wrong in it
 */
export function parseTokenizerJson(text: string, label: string): TokenizerJson {
  const json = parseAs(parseJson(text, label), tokenizerSchema, label);
  checkAddedIds(json, label);
  return json;
}

/**
 * A tokenizer from its description.
 * @param label what errors call it
 * @throws DataError naming what is wrong in it
 */
export function createTokenizer(json: TokenizerJson, label: string, config: object = {}): Tokenizer {
  checkTokenizer(json, label);
  const timed: Timed = (length, run) => within(longestMs(length), run, () => tooSlow(label, length));
  try {
    return new BpeTokenizer(json, config, hasPattern(json) ? timed : (_, run) => run());
  } catch (error) {
    throw new DataError(`${label}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Runs what takes time by the length of a text. */
type Timed = <T>(length: number, run: () => T) => T;

/** A text takes about a microsecond a character; a pattern that goes wrong, all the time there is. */
const longestMs = (characters: number): number => Math.ceil(1000 + characters / 20);

function tooSlow(label: string, characters: number): DataError {
  return new DataError(
    `${label}: one of its patterns takes more than ${longestMs(characters) / 1000} s for ${characters} characters: give --prompt-ids`,
  );
}

/** Whether the file brings regular expressions of its own. */
function hasPattern(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([key, item]) => key === 'Regex' || (key !== 'model' && key !== 'added_tokens' && hasPattern(item)),
  );
}

class BpeTokenizer implements Tokenizer {
  readonly size: number;
  private readonly inner: HfTokenizer;

  constructor(
    json: TokenizerJson,
    config: object,
    private readonly timed: Timed,
  ) {
    // Off by default there: it would glue " ." to the word before it, and decoding would no longer be the inverse.
    const taken = { ...json, pre_tokenizer: librarySteps(json.pre_tokenizer) };
    this.inner = new HfTokenizer(taken, { clean_up_tokenization_spaces: false, ...config });
    const ids = [...Object.values(json.model.vocab), ...json.added_tokens.map((token) => token.id)];
    this.size = ids.reduce((size, id) => Math.max(size, id + 1), 0);
  }

  encode(text: string, { addSpecial = false }: EncodeOptions = {}): number[] {
    const encode = () => this.inner.encode(text, { add_special_tokens: addSpecial });
    return Array.from(this.timed(text.length, encode).ids, Number);
  }

  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    const known = ids.filter((id) => this.inner.id_to_token(id) !== undefined);
    if (known.length === 0) return '';
    const decode = () => this.inner.decode(known, { skip_special_tokens: options.skipSpecial ?? true });
    return this.timed(known.length, decode);
  }

  token(id: number): string | undefined {
    return this.inner.id_to_token(id);
  }

  id(token: string): number | undefined {
    return this.inner.token_to_id(token);
  }
}
