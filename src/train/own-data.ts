import { createTokenizer } from '../model/tokenizer.js';
import { readDataFile } from '../score/data-file.js';
import { LIMITS, type ProblemSet } from '../score/problems.js';
import { buildTokenizerJson, WordTable } from '../score/tokenizer-json.js';
import { encodePairs, pairsOf, templateFor } from './examples.js';
import type { TrainingTask } from './training-task.js';

/**
 * Examples of a data file in the tokenizer of the shipped task, which has every byte: words that it lacks take several
 * tokens.
 * @param set whose lengths hold
 * @throws EnvironmentError or DataError for the file; UsageError for one without an answer, or too long
 */
export function taskOfData(path: string, set: ProblemSet): TrainingTask {
  const json = buildTokenizerJson();
  const tokenizer = createTokenizer(json, 'tokenizer of the task');
  const pairs = pairsOf(path, readDataFile(path));
  const template = templateFor(pairs);
  const { prompt, canvas } = LIMITS[set];
  const examples = encodePairs(pairs, tokenizer, template, { prompt, canvas, from: `--set ${set}` });
  return {
    name: 'tiny-llada',
    tokenizer: json,
    template,
    examples,
    heldOut: [],
    canvas,
    rows: prompt + canvas,
    wordIds: new WordTable(json).wordIds(),
  };
}
