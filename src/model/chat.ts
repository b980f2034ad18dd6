import { UsageError } from '../errors.js';
import { type Message, renderTemplate, specialTokens } from './chat-template.js';
import { type Architecture, familyOf } from './families/index.js';
import type { ModelText } from './model-text.js';
import { encodePrompt, framesPrompts } from './prompt.js';
import type { Tokenizer } from './tokenizer.js';

export const PROMPT_FORMATS = ['file', 'chat', 'plain', 'none'] as const;

/**
 * `file`: the Jinja template of the model's files; `chat`: its family's own framing of one question; `plain`: start of
 * text, text, end of turn; `none`: the text alone, behind the start of text where the model's files ask for it.
 */
export type PromptFormat = (typeof PROMPT_FORMATS)[number];

/** A text, or the turns of a dialogue. */
export type Prompt = string | readonly Message[];

/** What a model has for text. */
export interface TextSide {
  readonly tokenizer: Tokenizer;
  readonly arch: Architecture;
  readonly text: ModelText;
}

/** What stands around a text where nobody says. */
export function usualFormat({ tokenizer, text }: Pick<TextSide, 'tokenizer' | 'text'>): PromptFormat {
  if (text.templates.size > 0) return 'file';
  return framesPrompts(tokenizer) ? 'plain' : 'none';
}

/**
 * Token ids of a prompt.
 * @throws UsageError for a dialogue without a template; DataError when the format needs a token that the tokenizer does
 *   not have
 */
export function promptIds(
  { tokenizer, arch, text }: TextSide,
  format: PromptFormat,
  prompt: Prompt,
): number[] {
  switch (format) {
    case 'file': {
      const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
      const empty = messages.map(({ role }) => ({ role, content: '' }));
      const markers = markersIn(renderTemplate(text, empty));
      return framed(tokenizer, renderTemplate(text, messages), markers, text.label);
    }
    case 'chat': {
      const { chat } = familyOf(arch).text;
      return framed(tokenizer, chat(onlyText(prompt)), markersIn(chat('')), text.label);
    }
    case 'plain':
      return encodePrompt(tokenizer, onlyText(prompt));
    case 'none':
      return [...startOf(tokenizer, text), ...tokenizer.encode(onlyText(prompt))];
  }
}

function onlyText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  const [only, ...more] = prompt;
  if (only?.role === 'user' && more.length === 0) return only.content;
  throw new UsageError('several turns or a system message need the template of the model: --template file');
}

/** The start of text, where the tokenizer's settings say that a text begins with it. */
function startOf(tokenizer: Tokenizer, { settings }: ModelText): number[] {
  if (settings.add_bos_token !== true) return [];
  const id = tokenizer.id(specialTokens(settings).bos_token ?? '');
  return id === undefined ? [] : [id];
}

/** What looks like a special token: `<|im_start|>`, `<start_of_turn>`, `<s>`, `[INST]`. */
function markersIn(frame: string): ReadonlySet<string> {
  return new Set(frame.match(/<\|[^|<>\s]+\|>|<\/?[a-z]+(?:_[a-z]+)*>|<｜[^<>]+｜>/g));
}

function framed(tokenizer: Tokenizer, text: string, markers: Iterable<string>, label: string): number[] {
  for (const marker of markers) {
    if (tokenizer.encode(marker).length !== 1)
      throw new UsageError(
        `${label}: the chat template writes ${marker}, which is no token of this vocabulary: take --template none`,
      );
  }
  return tokenizer.encode(text);
}
