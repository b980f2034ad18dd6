import { allWords, END_OF_TURN_ID, MASK_ID, SPECIAL_TOKENS, START_ID } from './vocabulary.js';

/** A Hugging Face `tokenizer.json`: byte-level BPE over the task words. */
export type TokenizerJson = {
  version: string;
  truncation: null;
  padding: null;
  added_tokens: {
    id: number;
    content: string;
    single_word: boolean;
    lstrip: boolean;
    rstrip: boolean;
    normalized: boolean;
    special: boolean;
  }[];
  normalizer: null;
  pre_tokenizer: { type: 'ByteLevel'; add_prefix_space: boolean; trim_offsets: boolean; use_regex: boolean };
  post_processor: null;
  decoder: { type: 'ByteLevel'; add_prefix_space: boolean; trim_offsets: boolean; use_regex: boolean };
  model: {
    type: 'BPE';
    dropout: null;
    unk_token: null;
    continuing_subword_prefix: null;
    end_of_word_suffix: null;
    fuse_unk: boolean;
    byte_fallback: boolean;
    ignore_merges: boolean;
    vocab: Record<string, number>;
    merges: [string, string][];
  };
};

/** GPT-2's printable character for every byte. */
export function byteCharacters(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/**
 * Special tokens, then all 256 bytes, then one merge per prefix of " word". Every merge extends a
 * token that begins with the space, so a word of the list always becomes one token and any other
 * text still splits into bytes: nothing is unknown.
 * @param words the tasks' own, unless others are given
 */
export function buildTokenizerJson(words: readonly string[] = allWords()): TokenizerJson {
  const bytes = byteCharacters();
  const vocab: Record<string, number> = {};
  const add = (token: string): void => {
    vocab[token] ??= Object.keys(vocab).length;
  };
  for (const token of [...SPECIAL_TOKENS, ...bytes]) add(token);
  const space = bytes[0x20];
  const merges: [string, string][] = [];
  for (const word of words) {
    const spelled = [...Buffer.from(word)].map((byte) => bytes[byte]);
    for (let end = 1; end <= spelled.length; end++) {
      const left = space + spelled.slice(0, end - 1).join('');
      const right = spelled[end - 1];
      if (left + right in vocab) continue;
      add(left + right);
      merges.push([left, right]);
    }
  }
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: true,
    trim_offsets: true,
    use_regex: true,
  } as const;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

/** Ids of a tokenizer of `buildTokenizerJson`. */
export function vocabularySize({ model }: TokenizerJson): number {
  return Object.keys(model.vocab).length;
}

/** Token ids of task text by table look-up; throws on a word the tasks do not use. */
export class WordTable {
  private readonly ids = new Map<string, number>();
  private readonly words = new Map<number, string>();
  readonly size: number;

  constructor(json: TokenizerJson = buildTokenizerJson()) {
    const space = byteCharacters()[0x20];
    this.size = vocabularySize(json);
    for (const word of allWords()) {
      const id = json.model.vocab[space + word];
      if (id === undefined) throw new Error(`"${word}" is not one token`);
      this.ids.set(word, id);
      this.words.set(id, word);
    }
  }

  encode(text: string): number[] {
    return text.split(' ').map((word) => {
      const id = this.ids.get(word);
      if (id === undefined || id === MASK_ID) throw new Error(`"${word}" is not a task word`);
      return id;
    });
  }

  /** Ids of a prompt in the model's template. */
  encodePrompt(prompt: string): number[] {
    return [START_ID, ...this.encode(prompt), END_OF_TURN_ID];
  }

  /** Text of ids; special tokens are dropped, unknown ids become "?". */
  decode(ids: readonly number[]): string {
    return ids
      .filter((id) => id >= SPECIAL_TOKENS.length)
      .map((id) => this.words.get(id) ?? '?')
      .join(' ');
  }

  /** Ids of all task words, for choosing random replacement tokens. */
  wordIds(): number[] {
    return [...this.words.keys()];
  }
}
