import type { TokenizerJson } from '../tokenizer.js';

/** `tokenizer.ggml.token_type`: tokens that are matched before the text is split. */
const WHOLE = [2, 3, 4];
const CONTROL = 3;
/** How SentencePiece writes a space. */
const SPACE = '\u2581';

/** What llama.cpp keeps of a SentencePiece model. */
export interface SentencePiece {
  readonly tokens: readonly string[];
  readonly scores: readonly number[];
  readonly types: readonly number[];
  /** A text begins with a space. */
  readonly prefixSpace: boolean;
  /** Token for what the vocabulary lacks; undefined without one. */
  readonly unknown: string | undefined;
}

/**
 * A SentencePiece BPE model as a `tokenizer.json`. It merges the neighbours whose union has the best score, so every
 * way to cut a token in two tokens is a merge, in the order of scores (the conversion of transformers'
 * convert_slow_tokenizer.py).
 */
export function sentencePieceJson(model: SentencePiece): TokenizerJson {
  const { tokens, types, prefixSpace, unknown } = model;
  const space = { type: 'Replace', pattern: { String: ' ' }, content: SPACE };
  const back = { type: 'Replace', pattern: { String: SPACE }, content: ' ' };
  const first = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    added_tokens: tokens.flatMap((content, id) =>
      WHOLE.includes(types[id]) ? [{ id, content, special: types[id] === CONTROL, ...PLAIN }] : [],
    ),
    normalizer: {
      type: 'Sequence',
      normalizers: prefixSpace ? [{ type: 'Prepend', prepend: SPACE }, space] : [space],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [back, { type: 'ByteFallback' }, { type: 'Fuse' }, ...(prefixSpace ? [first] : [])],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges: mergesOf(model),
    },
  };
}

const PLAIN = { single_word: false, lstrip: false, rstrip: false, normalized: false };

function mergesOf({ tokens, scores, types }: SentencePiece): [string, string][] {
  const NORMAL = 1;
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const ranked = tokens
    .flatMap((token, id) => (types[id] === NORMAL ? [{ token, score: scores[id] }] : []))
    .sort((a, b) => b.score - a.score);
  return ranked.flatMap(({ token }) => {
    const letters = [...token];
    return letters.slice(1).flatMap((_, at): [string, string][] => {
      const left = letters.slice(0, at + 1).join('');
      const right = letters.slice(at + 1).join('');
      return ids.has(left) && ids.has(right) ? [[left, right]] : [];
    });
  });
}
