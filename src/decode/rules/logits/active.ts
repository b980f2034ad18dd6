import { defineNamed, nothing } from '../definition.js';
import { BASELINE } from '../ladder.js';

/**
 * Selective logits skipping (arXiv:2606.13740 §3.3): only rows whose identity or confidence can still matter; S rows
 * skip projection, confidence and sampling. Changes no output.
 */
export const active = defineNamed('logits', {
  facts: () => null,
  rule: () => ({ wants: (position) => position.state !== 'S' }),
  contradicts: nothing,
  givesUp: nothing,
  technique: () => ({
    name: 'selective logits skipping',
    lossless: 'logits skipping',
    without: () => ({ logits: BASELINE.logits }),
  }),
});
