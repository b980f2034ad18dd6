import { rounded } from '../number-type.js';
import type { RowStatistics } from '../rule.js';

/** H(p) / ln(vocab) in [0, 1]; 0 for a vocabulary of one. */
export function entropyShare(row: RowStatistics): number {
  if (row.vocab < 2) return 0;
  const nats = row.type === 'f64' ? row.entropy() : roundedEntropy(row);
  return Math.min(1, Math.max(0, nats / Math.log(row.vocab)));
}

/** Entropy of rounded probabilities, with the published guard of 1e-10 inside the logarithm. */
function roundedEntropy({ vocab, type, logit, probability }: RowStatistics): number {
  let negative = 0;
  for (let id = 0; id < vocab; id++) {
    const p = probability(logit(id));
    negative += rounded(p * rounded(Math.log(rounded(p + 1e-10, type)), type), type);
  }
  return -rounded(negative, type);
}
