import { END_SIGN } from '../../../src/decode/trace/end-sign.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';

/** Texts of single tokens, for messages and pictures. */
export function tokenTexts(tokenizer: Tokenizer, endIds: readonly number[]) {
  return {
    /** Never empty: a token without a text is shown by its id. */
    textOf: (token: number): string => {
      if (endIds.includes(token)) return END_SIGN;
      const text = tokenizer.decode([token], { skipSpecial: false }).trim();
      return text === '' ? `#${token}` : text;
    },
    /** As it stands in running text, its leading space included. */
    pieceOf: (token: number): string =>
      endIds.includes(token) ? ` ${END_SIGN}` : tokenizer.decode([token], { skipSpecial: false }),
  };
}
