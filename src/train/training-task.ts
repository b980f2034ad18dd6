import type { TokenizerJson } from '../score/tokenizer-json.js';

/** What a model is trained on, as token ids. */
export interface Example {
  readonly prompt: readonly number[];
  /** Without the end of text. */
  readonly response: readonly number[];
}

/** Examples to train on, with the vocabulary that writes them. */
export interface TrainingTask {
  /** Name of the model that comes out. */
  readonly name: string;
  readonly tokenizer: TokenizerJson;
  /** Jinja template that frames the prompts; null: start of text, text, end of turn. */
  readonly template: string | null;
  readonly examples: readonly Example[];
  /** Lines of JSON kept back from the training, as `quality --data` reads them. */
  readonly heldOut: readonly string[];
  /** Positions of a response, its end included: a multiple of the objective's window. */
  readonly canvas: number;
  /** Longest prompt and canvas together. */
  readonly rows: number;
  /** Ids that a corrupted token may become. */
  readonly wordIds: readonly number[];
}
