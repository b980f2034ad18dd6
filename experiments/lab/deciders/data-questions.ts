import { UsageError } from '../../../src/errors.js';
import { answerText } from '../../../src/model/answer-text.js';
import { type Prompt, promptIds, usualFormat } from '../../../src/model/chat.js';
import { splitAtMask, withMasks } from '../../../src/model/fill-in.js';
import type { LoadedModel } from '../../../src/model/load.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { cutAnswer, readDataFile } from '../../../src/score/data-file.js';
import { scorerOf, usualScorer } from '../../../src/score/scorers/registry.js';
import type { AskedQuestion } from './asked.js';

/** A question of a data file. */
export interface DataQuestion extends AskedQuestion {
  readonly prompt: Prompt;
  readonly answer: string;
  /** As asked for, or the usual one of the answer. */
  readonly scorer: string;
  /** What an answer says; of a prompt with masks, the whole of it with the masks filled in. */
  text(tokens: readonly number[]): string;
}

/** How the questions of a file are put and judged. */
export interface AskedOfData {
  readonly scorer?: string;
  /** Around the questions; the usual one if none is named. */
  readonly template?: string;
  readonly maskToken?: string;
}

/**
 * Questions of a data file, framed.
 * @throws EnvironmentError or DataError for the file; UsageError for a question without an answer
 */
export function dataQuestions(
  path: string,
  model: Pick<LoadedModel, 'config' | 'text'> & { readonly tokenizer: Tokenizer },
  { scorer: asked, template, maskToken }: AskedOfData,
): readonly DataQuestion[] {
  const { tokenizer, config, text } = model;
  const format = template ?? usualFormat({ tokenizer, text });
  return readDataFile(path).map(({ prompt, answer, until }, index) => {
    if (answer === null)
      throw new UsageError(`${path}: question ${index} has no "answer" or "target" to be scored against`);
    const { name, isRight } = scorerOf(asked ?? usualScorer(answer));
    const ids = promptIds(
      { tokenizer, arch: config.arch, text },
      format,
      withMasks(model, prompt, maskToken),
    );
    const split = splitAtMask(ids, config.maskId);
    const { given } = split;
    const said = (tokens: readonly number[]): string =>
      cutAnswer(
        answerText(model, tokens, given === undefined ? undefined : { promptIds: split.promptIds, given }) ??
          '',
        { until },
      );
    return {
      ...split,
      prompt,
      answer,
      scorer: name,
      text: said,
      judge(tokens) {
        const exact = isRight(said(tokens), answer);
        return { exact, tasks: [{ kind: 'answer', correct: exact }] };
      },
    };
  });
}
