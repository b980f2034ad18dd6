import { entropy } from './entropy.js';
import { inversePerplexity } from './inverse-perplexity.js';
import { margin } from './margin.js';
import { maxSoftmax } from './max-softmax.js';
import { negEntropy } from './neg-entropy.js';
import { random } from './random.js';

/** How sure a row is of its token; all map to [0, 1], so that thresholds mean the same everywhere. */
export const CONFIDENCES = {
  'max-softmax': maxSoftmax,
  margin,
  'neg-entropy': negEntropy,
  entropy,
  'inverse-perplexity': inversePerplexity,
  random,
};

export type ConfidenceName = keyof typeof CONFIDENCES;
