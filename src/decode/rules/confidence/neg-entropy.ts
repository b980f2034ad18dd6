import { defineConfidence } from './definition.js';
import { entropyShare } from './entropy-share.js';

/** 1 - H(p) / ln(vocab); orders rows as Dream's negative entropy does. */
export const negEntropy = defineConfidence({
  random: false,
  ofToken: false,
  of: (row) => 1 - entropyShare(row),
});
