import { UsageError } from '../src/errors.js';
import type { LoadedModel } from '../src/model/load.js';
import type { Tokenizer } from '../src/model/tokenizer.js';

/** @throws UsageError when the model has no tokenizer */
export function requireTokenizer(model: Pick<LoadedModel, 'config' | 'tokenizer'>): Tokenizer {
  if (model.tokenizer === null) {
    throw new UsageError(
      `${model.config.name} has no tokenizer, neither in its file nor as tokenizer.json beside it: give --prompt-ids`,
    );
  }
  return model.tokenizer;
}
