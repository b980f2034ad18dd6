import { type Architecture, familyOf } from './families/index.js';
import { encodePrompt } from './prompt.js';
import type { Tokenizer } from './tokenizer.js';

export const PROMPT_FORMATS = ['chat', 'plain', 'none'] as const;

/** `chat`: the family's template; `plain`: start of text, text, end of turn; `none`: the text alone. */
export type PromptFormat = (typeof PROMPT_FORMATS)[number];

/**
 * Token ids of a prompt.
 * @throws DataError when the format needs a token that the tokenizer does not have
 */
export function promptIds(
  tokenizer: Tokenizer,
  arch: Architecture,
  format: PromptFormat,
  text: string,
): number[] {
  switch (format) {
    case 'chat':
      return tokenizer.encode(familyOf(arch).text.chat(text));
    case 'plain':
      return encodePrompt(tokenizer, text);
    case 'none':
      return tokenizer.encode(text);
  }
}
