import { rounded } from '../number-type.js';
import { defineConfidence } from './definition.js';

/** Probability of the best minus the second best token. */
export const margin = defineConfidence({
  random: false,
  ofToken: false,
  of: ({ best, second, probability, type }) => rounded(probability(best) - probability(second), type),
});
