import { UsageError } from '../src/errors.js';
import type { Prompt } from '../src/model/chat.js';
import { cutAnswer, type DataCase, readDataFile } from '../src/score/data-file.js';
import { generateProblem } from '../src/score/problems.js';
import { scoreResponse } from '../src/score/score.js';
import { scorerOf, usualScorer } from '../src/score/scorers/registry.js';

/** What is asked of the model, and how to judge the answer if that is known. */
export interface Task {
  /** Empty when the prompt was given as ids. */
  readonly prompt: Prompt;
  /** Token ids that stand for the whole prompt, template included. */
  readonly ids?: readonly number[];
  /** One right answer; null for a free prompt. */
  readonly expected: string | null;
  /** Whether a text answers the prompt; null when nobody knows. */
  readonly isRight: (text: string) => boolean | null;
}

/** What a user may ask. */
export interface Asked {
  readonly prompt?: string;
  readonly problem?: number;
  readonly promptIds?: readonly number[];
  /** JSON Lines file. */
  readonly prompts?: string;
  /** Judges the answers of that file; default: the one that fits their form. */
  readonly scorer?: string;
  /** What the model is told before the prompt. */
  readonly system?: string;
  /** Seed of the problems. */
  readonly seed: number;
}

/**
 * Everything that is to be answered, in order.
 * @throws UsageError when none or several ways of asking are used; DataError for a damaged prompt file
 */
export function chooseTasks(asked: Asked): readonly Task[] {
  const { prompt, problem, promptIds, prompts, scorer, system, seed } = asked;
  const free = { expected: null, isRight: () => null };
  const ways = [prompt, problem, promptIds, prompts].filter((way) => way !== undefined).length;
  if (ways > 1 && (promptIds !== undefined || prompts !== undefined)) {
    throw new UsageError('give one of a prompt, --problem, --prompt-ids and --prompts');
  }
  if (promptIds !== undefined) return [{ prompt: '', ids: promptIds, ...free }];
  if (prompts !== undefined) {
    return readDataFile(prompts).map((each) => dataTask(each, scorer, system));
  }
  const task = chooseTask(prompt, problem, seed);
  return [{ ...task, prompt: withSystem(task.prompt, system) }];
}

function dataTask(
  { prompt, answer, until }: DataCase,
  asked: string | undefined,
  system: string | undefined,
): Task {
  const scorer = answer === null ? null : scorerOf(asked ?? usualScorer(answer));
  return {
    prompt: withSystem(prompt, system),
    expected: answer,
    isRight: (text) =>
      answer === null || scorer === null ? null : scorer.isRight(cutAnswer(text, { until }), answer),
  };
}

/** @throws UsageError for a dialogue that says itself what the model is told */
function withSystem(prompt: Prompt, system: string | undefined): Prompt {
  if (system === undefined) return prompt;
  const turns = typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt;
  if (turns[0].role === 'system')
    throw new UsageError('a dialogue begins with a system message of its own: leave out --system');
  return [{ role: 'system', content: system }, ...turns];
}

/**
 * The prompt a user gave, or a held-out problem of the shipped task.
 * @throws UsageError when both or neither are given
 */
function chooseTask(prompt: string | undefined, problemIndex: number | undefined, seed: number): Task {
  if (prompt !== undefined) {
    if (problemIndex !== undefined) throw new UsageError('give a prompt or --problem, not both');
    return { prompt, expected: null, isRight: () => null };
  }
  if (problemIndex === undefined) {
    throw new UsageError('no prompt: give a text, or --problem N for held-out problem N of the shipped task');
  }
  const problem = generateProblem(seed, problemIndex, 'long', 'heldout');
  return {
    prompt: problem.prompt,
    expected: problem.response,
    isRight: (text) => scoreResponse(problem, text).exact,
  };
}
