import type { RowOutcome } from '../../../pass/pass.js';
import type { PolicyFacts } from '../facts.js';

/** Entropy of a row in nats, read off confidence `inverse-perplexity`, which is exp(-H). */
export function nats({ confidence }: Pick<RowOutcome, 'confidence'>): number {
  return -Math.log(confidence);
}

/** Rules that compare entropies need rows that say them. */
export function needsEntropy(name: string) {
  return (_: unknown, { confidence }: PolicyFacts): string[] =>
    confidence.entropy
      ? []
      : [
          `${name.includes(' ') ? name : `commit ${name}`} compares entropies, so confidence must be inverse-perplexity`,
        ];
}
