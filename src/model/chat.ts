import type { Architecture } from './config.js';
import { encodePrompt } from './prompt.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * One user turn and the opening of the answer, as each family was trained. LLaDA's text is that of its authors'
 * template with a correct opening (theirs puts it in the wrong place); Dream uses ChatML.
 */
const TEMPLATES: Readonly<Record<Architecture, (text: string) => string>> = {
  llada: (text) =>
    `<|startoftext|><|start_header_id|>user<|end_header_id|>\n\n${text.trim()}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
  dream: (text) =>
    `<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
  'llada-moe': (text) => `<role>HUMAN</role>${text}<|role_end|><role>ASSISTANT</role>`,
  llama: (text) =>
    `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n${text.trim()}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
};

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
      return tokenizer.encode(TEMPLATES[arch](text));
    case 'plain':
      return encodePrompt(tokenizer, text);
    case 'none':
      return tokenizer.encode(text);
  }
}
