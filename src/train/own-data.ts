import { UsageError } from '../errors.js';
import { encodePrompt } from '../model/prompt.js';
import { createTokenizer, parseTokenizerJson } from '../model/tokenizer.js';
import { readDataFile } from '../score/data-file.js';
import { LIMITS, type ProblemSet } from '../score/problems.js';
import { buildTokenizerJson } from '../score/tokenizer-json.js';

/** What a model is trained on, as token ids. */
export interface Example {
  readonly prompt: readonly number[];
  readonly response: readonly number[];
}

/**
 * Examples of a data file in the tokenizer of the task, which has every byte: words that it lacks take several tokens.
 * @param set whose lengths hold
 * @throws EnvironmentError or DataError for the file; UsageError for one without an answer, or too long
 */
export function ownExamples(path: string, set: ProblemSet): readonly Example[] {
  const label = 'tokenizer of the task';
  const tokenizer = createTokenizer(parseTokenizerJson(JSON.stringify(buildTokenizerJson()), label), label);
  const { prompt: longest, canvas } = LIMITS[set];
  return readDataFile(path).map(({ prompt, answer }, index) => {
    const where = `${path}: example ${index}`;
    if (typeof prompt !== 'string')
      throw new UsageError(`${where} is a dialogue: give "prompt" or "question"`);
    if (answer === null) throw new UsageError(`${where} has no "answer" or "target"`);
    const ids = encodePrompt(tokenizer, prompt);
    const response = tokenizer.encode(answer);
    if (ids.length > longest || response.length >= canvas)
      throw new UsageError(
        `${where} takes ${ids.length} + ${response.length} tokens, --set ${set} has ${longest} + ${canvas - 1}`,
      );
    return { prompt: ids, response };
  });
}
