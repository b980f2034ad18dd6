import { DataError, UsageError } from '../errors.js';
import { unknownName } from '../util/nearest.js';
import { type Message, renderTemplate, specialTokens } from './chat-template.js';
import { type Architecture, familyOf } from './families/index.js';
import type { ModelText } from './model-text.js';
import { encodePrompt, framesPrompts } from './prompt.js';
import type { Tokenizer } from './tokenizer.js';

export const PROMPT_FORMATS = ['file', 'chat', 'plain', 'none'] as const;

/**
 * `file`: the Jinja template of the model's files; `chat`: its family's own framing of one question; `plain`: start of
 * text, text, end of turn; `none`: the text alone, with what the model's files put around any text.
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
 * @param format one of `PROMPT_FORMATS`, or the name of one of several templates of the model's files
 * @throws UsageError for an unknown format, or a dialogue without a template; DataError when the format needs a token that the tokenizer does
 *   not have
 */
export function promptIds({ tokenizer, arch, text }: TextSide, format: string, prompt: Prompt): number[] {
  switch (checkedFormat(text, format)) {
    case 'file':
      return templated(tokenizer, text, prompt);
    case 'chat': {
      const { chat } = familyOf(arch).text;
      return framed(tokenizer, chat(onlyText(prompt)), markersIn(chat('')), text.label);
    }
    case 'plain':
      return encodePrompt(tokenizer, onlyText(prompt));
    case 'none':
      return bare(tokenizer, text, onlyText(prompt));
    default:
      return templated(tokenizer, text, prompt, format);
  }
}

/** @throws UsageError for what is neither a format nor the name of a template, or is both */
function checkedFormat({ templates, label }: ModelText, format: string): PromptFormat | undefined {
  const known = PROMPT_FORMATS.find((name) => name === format);
  if (known === undefined && !templates.has(format))
    throw unknownName('template', format, [...PROMPT_FORMATS, ...templates.keys()]);
  if (known !== undefined && templates.has(format))
    throw new UsageError(`${label}: a chat template has the name ${format}, which means something else here`);
  return known;
}

function templated(tokenizer: Tokenizer, text: ModelText, prompt: Prompt, name?: string): number[] {
  const messages = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  const empty = messages.map(({ role }) => ({ role, content: '' }));
  const markers = markersIn(renderTemplate(text, empty, name));
  return framed(tokenizer, renderTemplate(text, messages, name), markers, text.label);
}

function onlyText(prompt: Prompt): string {
  if (typeof prompt === 'string') return prompt;
  const [only, ...more] = prompt;
  if (only?.role === 'user' && more.length === 0) return only.content;
  throw new UsageError('several turns or a system message need the template of the model: --template file');
}

/** A text with what its tokenizer puts around it: by its post-processor, unless its settings say yes or no. */
function bare(tokenizer: Tokenizer, { settings, label }: ModelText, text: string): number[] {
  const ids = tokenizer.encode(text);
  const whole = tokenizer.encode(text, { addSpecial: true });
  let start = 0;
  while (start < whole.length - ids.length && !ids.every((id, at) => whole[start + at] === id)) start++;
  const stated = (
    flag: 'add_bos_token' | 'add_eos_token',
    otherwise: readonly number[],
  ): readonly number[] => {
    if (settings[flag] === undefined || settings[flag] === null) return otherwise;
    if (settings[flag] === false) return [];
    if (settings[flag] !== true)
      throw new DataError(`${label}: ${flag} ${JSON.stringify(settings[flag])}: must be true or false`);
    const name = specialTokens(settings)[flag.replace('add_', '')];
    const id = name === undefined ? undefined : tokenizer.id(name);
    if (id !== undefined) return [id];
    throw new DataError(
      `${label}: ${flag} is set, but ${name === undefined ? 'no such token is named' : `the vocabulary has no ${name}`}: give --prompt-ids`,
    );
  };
  return [
    ...stated('add_bos_token', whole.slice(0, start)),
    ...ids,
    ...stated('add_eos_token', whole.slice(start + ids.length)),
  ];
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
