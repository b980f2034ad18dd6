import { UsageError } from '../errors.js';

/** What is asked of the model, and how to judge the answer if that is known. */
export interface Task {
  readonly prompt: string;
  /** One right answer; null for a free prompt. */
  readonly expected: string | null;
  /** Whether a text answers the prompt; null when nobody knows. */
  readonly isRight: (text: string) => boolean | null;
}

/**
 * The prompt a user gave, or a held-out problem of the shipped task.
 * @throws UsageError when both or neither are given
 */
export async function chooseTask(
  prompt: string | undefined,
  problemIndex: number | undefined,
  seed: number,
): Promise<Task> {
  if (prompt !== undefined) {
    if (problemIndex !== undefined) throw new UsageError('give a prompt or --problem, not both');
    return { prompt, expected: null, isRight: () => null };
  }
  if (problemIndex === undefined) {
    throw new UsageError('no prompt: give a text, or --problem N for held-out problem N of the shipped task');
  }
  const { generateProblem } = await import('../train/problems.js');
  const { scoreResponse } = await import('../train/score.js');
  const problem = generateProblem(seed, problemIndex, 'long', 'heldout');
  return {
    prompt: problem.prompt,
    expected: problem.response,
    isRight: (text) => scoreResponse(problem, text).exact,
  };
}
