import { UsageError } from '../errors.js';
import type { Prompt } from '../model/chat.js';
import { renderTemplate } from '../model/chat-template.js';
import { NO_TEXT, USUAL_TEMPLATE } from '../model/model-text.js';
import { encodePrompt } from '../model/prompt.js';
import type { Tokenizer } from '../model/tokenizer.js';
import type { DataCase } from '../score/data-file.js';
import type { Example } from './training-task.js';

/** LLaDA's turns (`tokenizer_config.json` of GSAI-ML/LLaDA-8B-Instruct), in the special tokens of the task's vocabulary. */
const DIALOGUE_TEMPLATE =
  "<|startoftext|>{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + " +
  "message['content'] + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}" +
  "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";

/** A prompt and its right answer. */
export interface Pair {
  readonly prompt: Prompt;
  readonly answer: string;
  /** Of what the user wrote, for errors. */
  readonly where: string;
}

/**
 * What questions of a data file teach: an answer each; of a dialogue that has none, what each of its assistant's turns
 * says after the turns before it.
 * @throws UsageError naming the example that has no answer
 */
export function pairsOf(path: string, cases: readonly DataCase[]): readonly Pair[] {
  return cases.flatMap(({ prompt, answer }, index) => {
    const where = `${path}: example ${index}`;
    if (answer !== null) return [{ prompt, answer, where }];
    if (typeof prompt === 'string') throw new UsageError(`${where} has no "answer" or "target"`);
    const said = prompt.flatMap(({ role, content }, at) =>
      role === 'assistant' && at > 0
        ? [{ prompt: prompt.slice(0, at), answer: content, where: `${where}, message ${at}` }]
        : [],
    );
    if (said.length === 0)
      throw new UsageError(`${where} has no "answer", and no message of the assistant behind another one`);
    return said;
  });
}

/** The template that these prompts need: dialogues have turns, and then every prompt is one. */
export function templateFor(pairs: readonly Pair[]): string | null {
  return pairs.some(({ prompt }) => typeof prompt !== 'string') ? DIALOGUE_TEMPLATE : null;
}

/** Longest prompt and positions for a response. */
export interface Lengths {
  readonly prompt: number;
  readonly canvas: number;
  /** Where the user may change them. */
  readonly from: string;
}

/**
 * Token ids of pairs.
 * @throws UsageError naming the first that is empty or does not fit
 */
export function encodePairs(
  pairs: readonly Pair[],
  tokenizer: Tokenizer,
  template: string | null,
  lengths: Lengths,
): readonly Example[] {
  const text = { ...NO_TEXT, templates: new Map(template === null ? [] : [[USUAL_TEMPLATE, template]]) };
  return pairs.map(({ prompt, answer, where }) => {
    const turns = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
    const ids =
      typeof prompt === 'string' && template === null
        ? encodePrompt(tokenizer, prompt)
        : tokenizer.encode(renderTemplate(text, turns));
    const response = tokenizer.encode(answer);
    if (response.length === 0) throw new UsageError(`${where}: its answer is empty`);
    if (ids.length > lengths.prompt || response.length >= lengths.canvas)
      throw new UsageError(
        `${where} takes ${ids.length} + ${response.length} tokens, ${lengths.from} has ${lengths.prompt} + ${lengths.canvas - 1}`,
      );
    return { prompt: ids, response };
  });
}
