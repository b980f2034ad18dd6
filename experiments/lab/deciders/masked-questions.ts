import { DataError } from '../../../src/errors.js';
import type { LoadedModel } from '../../../src/model/load.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { readText } from '../../../src/util/read-file.js';
import type { AskedQuestion } from './asked.js';
import { maskText } from './masking.js';

/** Texts of a file, one a line. @throws EnvironmentError when it cannot be read; DataError when there are none */
export function readTexts(path: string): readonly string[] {
  const texts = readText(path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (texts.length === 0) throw new DataError(`${path}: no texts`);
  return texts;
}

/**
 * The texts of a file, each masked several times: question `text * draws + draw`. Right are the tokens that stood there.
 * @throws UsageError for a model whose texts cannot be masked; DataError for a text that its vocabulary cannot hold
 */
export function maskedQuestions(
  path: string,
  { config, tokenizer }: Pick<LoadedModel, 'config'> & { readonly tokenizer: Tokenizer },
  { share, draws, seed }: { readonly share: number; readonly draws: number; readonly seed: number },
): readonly AskedQuestion[] {
  return readTexts(path).flatMap((text) =>
    Array.from({ length: draws }, (_, draw): AskedQuestion => {
      const { promptIds, given, truth, masked } = maskText(config, tokenizer, text, { share, draw, seed });
      return {
        promptIds,
        given,
        judge(tokens) {
          const tasks = masked.map((at) => ({ kind: 'token', correct: tokens[at] === truth[at] }));
          return { exact: tasks.every(({ correct }) => correct), tasks };
        },
      };
    }),
  );
}
