import { defineConfidence } from './definition.js';

/** exp(-H) of the tokens, the mask apart: 1 over the number of tokens that would be as unsure if they were equally likely. */
export const inversePerplexity = defineConfidence({
  random: false,
  entropy: true,
  ofToken: false,
  of: (row) => Math.exp(-row.tokenEntropy()),
});
