import { defineConfidence } from './definition.js';

/** Probability of the token. */
export const maxSoftmax = defineConfidence({
  random: false,
  ofToken: true,
  of: ({ best, probability }) => probability(best),
});
