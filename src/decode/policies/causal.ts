import type { PolicySpecInput } from '../spec.js';

/** The baseline that diffusion is compared with: one token per forward, left to right. */
export const AUTOREGRESSIVE_SPEC = {
  name: 'autoregressive',
  description:
    'one token per forward, left to right, on causal KV, to the first end token: how Llama and its kind decode',
  source: 'greedy next-token decoding; the autoregressive model that arXiv:2606.13740 compares with',
  blockLength: 1,
  window: { kind: 'next' },
  cache: { kind: 'prefix', seal: 'delayed' },
  commit: { kind: 'quota' },
  logits: 'active',
  stop: 'block',
} as const satisfies PolicySpecInput;
