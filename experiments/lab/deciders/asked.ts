import type { Answer } from './decider.js';

/** What a model is asked, and how its answer is judged. */
export interface AskedQuestion {
  readonly promptIds: readonly number[];
  /** Answer so far, where the prompt has masks: from the first of them on. */
  readonly given?: readonly number[];
  /** @param tokens that were generated, those that were given among them */
  judge(tokens: readonly number[]): Answer;
}
