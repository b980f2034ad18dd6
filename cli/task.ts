import { UsageError } from '../src/errors.js';
import { generateProblem } from '../src/score/problems.js';
import { scoreResponse } from '../src/score/score.js';
import { readPrompts } from './prompt-file.js';

/** What is asked of the model, and how to judge the answer if that is known. */
export interface Task {
  /** Empty when the prompt was given as ids. */
  readonly prompt: string;
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
  /** Seed of the problems. */
  readonly seed: number;
}

/**
 * Everything that is to be answered, in order.
 * @throws UsageError when none or several ways of asking are used; DataError for a damaged prompt file
 */
export function chooseTasks(asked: Asked): readonly Task[] {
  const { prompt, problem, promptIds, prompts, seed } = asked;
  const free = { expected: null, isRight: () => null };
  const ways = [prompt, problem, promptIds, prompts].filter((way) => way !== undefined).length;
  if (ways > 1 && (promptIds !== undefined || prompts !== undefined)) {
    throw new UsageError('give one of a prompt, --problem, --prompt-ids and --prompts');
  }
  if (promptIds !== undefined) return [{ prompt: '', ids: promptIds, ...free }];
  if (prompts !== undefined) {
    return readPrompts(prompts).map((text) => ({ prompt: text, ...free }));
  }
  return [chooseTask(prompt, problem, seed)];
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
