import { defineConfidence } from './definition.js';

/** Uniform, drawn per row (LLaDA's random remasking); where nothing is drawn, the probability of the token. */
export const random = defineConfidence({
  random: true,
  ofToken: true,
  of: ({ best, probability }) => probability(best),
});
