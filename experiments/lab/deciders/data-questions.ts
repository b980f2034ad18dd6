import { UsageError } from '../../../src/errors.js';
import { type Prompt, promptIds, type TextSide, usualFormat } from '../../../src/model/chat.js';
import { readDataFile } from '../../../src/score/data-file.js';
import { scorerOf, usualScorer } from '../../../src/score/scorers/registry.js';
import type { Answer } from './decider.js';

/** What a model is asked, and how its answer is judged. */
export interface Question {
  readonly promptIds: readonly number[];
  judge(text: string): Answer;
}

/** A question of a data file. */
export interface DataQuestion extends Question {
  readonly prompt: Prompt;
  readonly answer: string;
  /** As asked for, or the usual one of the answer. */
  readonly scorer: string;
}

/**
 * Questions of a data file, framed as the model is usually asked.
 * @throws EnvironmentError or DataError for the file; UsageError for a question without an answer
 */
export function dataQuestions(path: string, side: TextSide, asked?: string): readonly DataQuestion[] {
  const format = usualFormat(side);
  return readDataFile(path).map(({ prompt, answer }, index) => {
    if (answer === null)
      throw new UsageError(`${path}: question ${index} has no "answer" or "target" to be scored against`);
    const { name, isRight } = scorerOf(asked ?? usualScorer(answer));
    return {
      prompt,
      answer,
      scorer: name,
      promptIds: promptIds(side, format, prompt),
      judge(text) {
        const exact = isRight(text, answer);
        return { exact, tasks: [{ kind: 'answer', correct: exact }] };
      },
    };
  });
}
