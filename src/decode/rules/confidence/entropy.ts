import { defineConfidence } from './definition.js';
import { entropyShare } from './entropy-share.js';

/** H(p) / ln(vocab): the least sure row first, as llama.cpp's ENTROPY_BASED does. */
export const entropy = defineConfidence({
  random: false,
  ofToken: false,
  of: entropyShare,
});
