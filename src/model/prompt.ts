import { DataError } from '../errors.js';
import type { Tokenizer } from './tokenizer.js';

/** Special tokens of LLaDA's vocabulary that frame a prompt. */
const START = '<|startoftext|>';
const END_OF_TURN = '<|eot_id|>';

/**
 * Token ids of a prompt as the shipped model was trained to see it: start of text, the text, end of turn. The
 * response canvas follows.
 * @throws DataError when the tokenizer lacks LLaDA's special tokens
 */
export function encodePrompt(tokenizer: Tokenizer, text: string): number[] {
  return [special(tokenizer, START), ...tokenizer.encode(text), special(tokenizer, END_OF_TURN)];
}

/** Whether a tokenizer has what `encodePrompt` puts around a text. */
export function framesPrompts(tokenizer: Tokenizer): boolean {
  return tokenizer.id(START) !== undefined && tokenizer.id(END_OF_TURN) !== undefined;
}

function special(tokenizer: Tokenizer, token: string): number {
  const id = tokenizer.id(token);
  if (id === undefined) throw new DataError(`the tokenizer has no ${token}`);
  return id;
}
