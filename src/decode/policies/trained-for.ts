import type { PolicySpecInput } from '../spec.js';

/** Published methods that only models trained for them can be decoded with. */
export const TRAINED_FOR_POLICIES = [
  {
    name: 'fast-dllm-v2',
    blockLength: 32,
    description:
      'block by block on exact prefix KV from position 0, in sub-blocks of 8 from left to right, above 0.9; the pass that seals a block says the first token of the next',
    source:
      'Fast-dLLM v2 (arXiv:2509.26328), generate of its model card: small_block_size 8, threshold 0.9; without its sub-block cache',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal', opens: 'predicted' },
    commit: { kind: 'sub-blocks' },
    stop: 'block',
  },
  {
    name: 'wedlm',
    blockLength: 1,
    description:
      'masks after the text in causal attention, tokens before masks; those below 0.4 nats get a token, the text grows by what is complete from its left (gives up B1-one-block)',
    source:
      'WeDLM (arXiv:2512.22737), its window of 16, entropy threshold 0.4 and penalty 0.02; greedy where it has temperature 0.2',
    window: { kind: 'streaming' },
    cache: { kind: 'prefix', seal: 'delayed' },
    commit: { kind: 'quota' },
    confidence: 'inverse-perplexity',
    logits: 'active',
    stop: 'block',
  },
] as const satisfies readonly PolicySpecInput[];
