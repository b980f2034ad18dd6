import type { Tokenizer } from '../../../src/model/tokenizer.js';

/** Texts of single tokens, for messages and pictures. */
export function tokenTexts(tokenizer: Tokenizer) {
  return {
    /** Never empty: a token without a text is shown by its id. */
    textOf: (token: number): string => {
      const text = tokenizer.decode([token], { skipSpecial: false }).trim();
      return text === '' ? `#${token}` : text;
    },
    /** As it stands in running text, its leading space included. */
    pieceOf: (token: number): string => tokenizer.decode([token], { skipSpecial: false }),
  };
}
