/** Why a statistic of decoding may differ from the paper's: said wherever one misses its band. `{model}` is the deciding model. */
export const OTHER_MODEL =
  "the confidence is {model}'s on its own tasks, not LLaDA-8B's on GSM8K, and nothing was fitted";
