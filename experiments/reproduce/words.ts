/** Why a statistic of decoding may differ from the paper's: said wherever one misses its band. */
export const TINY_LLADA =
  "the confidence is tiny-llada's on its own tasks, not LLaDA-8B's on GSM8K, and nothing was fitted";
