import type { OrderIds } from '../../model/model-shape.js';
import type { PolicySpecInput } from '../spec.js';

/** What LLaDA2.2 is decoded by. Its tokens for orders are a checkpoint's own, so no policy can be named after it. */
export function obeyingSpec(orders: OrderIds): PolicySpecInput {
  return {
    name: 'joint-threshold-indel',
    blockLength: 32,
    description:
      'joint-threshold with two tokens that are orders: one takes its position away, one puts a mask before another token (gives up B1-edits, D4-every-step)',
    source: 'LLaDA2.2, SGLang joint_threshold_indel',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal' },
    commit: { kind: 'indel', ...orders },
  };
}
