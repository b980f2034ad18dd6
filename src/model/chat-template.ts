import { DataError, UsageError } from '../errors.js';
import { type ModelText, USUAL_TEMPLATE } from './model-text.js';
import { renderInSandbox } from './templates/sandbox.js';

/** One turn of a dialogue. */
export interface Message {
  /** `system`, `user`, `assistant`, or what else the template knows. */
  readonly role: string;
  /** Its text. */
  readonly content: string;
}

/**
 * A dialogue in the model's own Jinja template, with the opening of the answer.
 * @param name of one of several templates
 * @throws UsageError without a template, or when the template refuses the dialogue; DataError for one that cannot be read or takes more
 *   than it is given; EnvironmentError when the process that runs it does not start
 */
export function renderTemplate(
  { templates, settings, label }: ModelText,
  messages: readonly Message[],
  name = USUAL_TEMPLATE,
): string {
  const source = templates.get(name);
  if (source === undefined)
    throw new UsageError(
      templates.size === 0
        ? `${label}: no chat template: take --template chat, plain or none`
        : `${label}: none of its chat templates is the usual one: name one with --template (${[...templates.keys()].join(', ')})`,
    );
  const turns = messages.map((message) => ({ ...message }));
  // As transformers calls it without tools: what is None there is defined.
  const values = {
    ...specialTokens(settings),
    messages: turns,
    tools: null,
    documents: null,
    add_generation_prompt: true,
  };
  const answer = renderInSandbox(source, values);
  if ('text' in answer) return answer.text;
  const { fault, reason } = answer;
  if (fault === 'unreadable') throw new DataError(`${label}: its chat template cannot be read: ${reason}`);
  if (fault === 'refused') throw new UsageError(`${label}: its chat template refuses: ${reason}`);
  throw new DataError(`${label}: its chat template ${reason}: take --template chat, plain or none`);
}

/** `bos_token` and its kind of a `tokenizer_config.json`, which writes them as text or as an object. */
export function specialTokens(settings: ModelText['settings']): Record<string, string> {
  const tokens: Record<string, string> = {};
  for (const [key, value] of Object.entries(settings)) {
    if (!key.endsWith('_token')) continue;
    if (typeof value === 'string') tokens[key] = value;
    else if (typeof value === 'object' && value !== null && 'content' in value)
      tokens[key] = String(value.content);
  }
  return tokens;
}
