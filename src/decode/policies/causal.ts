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

/** Next-token decoding of a model that was trained in blocks as well, which drafts for itself. */
export const SELF_SPECULATION_SPEC = {
  ...AUTOREGRESSIVE_SPEC,
  name: 'nemotron-self-speculation',
  description:
    'the text of autoregressive in fewer forwards: masks that see each other draft, a causal pass takes what it agrees with (gives up D4-every-step)',
  source:
    'Nemotron-Labs-Diffusion (arXiv:2607.05722), linear self-speculation; its draft pass with the adapter of the model, where the folder has one',
  window: { kind: 'self-speculation' },
  logits: 'all',
} as const satisfies PolicySpecInput;
