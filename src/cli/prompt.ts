import { UsageError } from '../errors.js';
import type { LoadedModel } from '../model/load.js';
import type { Tokenizer } from '../model/tokenizer.js';

/** Ends the user's turn in LLaDA's template. */
const END_OF_TURN = '<|eot_id|>';

/** @throws UsageError when the model has no tokenizer */
export function requireTokenizer(model: LoadedModel): Tokenizer {
  if (model.tokenizer === null) {
    throw new UsageError(
      `${model.config.name} has no tokenizer.json beside its weights, so it cannot read a prompt`,
    );
  }
  return model.tokenizer;
}

/** Start of text, the prompt, end of turn: what the shipped model was trained to answer. */
export function promptIds(model: LoadedModel, prompt: string): number[] {
  const tokenizer = requireTokenizer(model);
  const { bosId } = model.config;
  const end = tokenizer.id(END_OF_TURN);
  return [
    ...(bosId === null ? [] : [bosId]),
    ...tokenizer.encode(prompt),
    ...(end === undefined ? [] : [end]),
  ];
}
