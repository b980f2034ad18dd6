import type { PolicySpec } from '../spec.js';
import type { LogitsRule } from './rule.js';

/**
 * `all`: every row of the pass (in a full canvas the prompt rows too, as the published baselines do).
 * `active`: selective logits skipping (arXiv:2606.13740 §3.3), only rows whose identity or confidence can still
 * matter; S rows skip projection, confidence and sampling. Changes no output.
 */
export function logitsRule(kind: PolicySpec['logits']): LogitsRule {
  return kind === 'all' ? { wants: () => true } : { wants: (position) => position.state !== 'S' };
}
