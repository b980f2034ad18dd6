import type { Model } from '../experiments/library/model.js';
import { TASK_WORDS } from '../src/score/vocabulary.js';
import type { Task } from './task.js';

/** What a user should know about prompts before they trust the answers: at most one line of a kind. */
export function promptNotes(model: Model, tasks: readonly Task[]): string[] {
  const { config, tokenizer } = model;
  const notes =
    config.endIds.length > 0 ? [] : [`${config.name} names no end token: answers have their full length`];
  if (tokenizer === null) return notes;
  const texts = tasks.flatMap(({ ids, prompt }) =>
    ids !== undefined ? [] : typeof prompt === 'string' ? [prompt] : prompt.map(({ content }) => content),
  );
  const lost = texts.find((text) => plain(decoded(model, text)) !== plain(text));
  if (lost !== undefined)
    notes.push(
      `the vocabulary of ${config.name} lacks part of the prompt, which reads: ${JSON.stringify(decoded(model, lost))}`,
    );
  const foreign = texts.find((text) => !isTask(model, text));
  if (config.name === 'tiny-llada' && foreign !== undefined)
    notes.push(
      `tiny-llada was trained on problems like "A flip 2 4 8 B sort owl elk ant" alone: what it says to ${JSON.stringify(cut(foreign))} means nothing`,
    );
  return notes;
}

const decoded = ({ tokenizer }: Model, text: string): string =>
  tokenizer?.decode(tokenizer.encode(text), { skipSpecial: false }) ?? '';

const plain = (text: string): string => text.trim().split(/\s+/).join(' ');

const cut = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text);

/** Letters and tasks of the training set, in words that are tokens. */
function isTask({ tokenizer, config }: Model, text: string): boolean {
  const mask = config.maskId === null ? undefined : tokenizer?.token(config.maskId);
  const words = text.trim().split(/\s+/);
  const known = words.every((word) => word === mask || tokenizer?.encode(word).length === 1);
  return known && words[0] === 'A' && TASK_WORDS.some((task) => task === words[1]);
}
