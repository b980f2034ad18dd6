import type { PolicySpecInput } from '../spec.js';

/** Published methods in the terms of these rules. */
export const PUBLISHED_POLICIES = [
  {
    name: 'fast-dllm-prefix',
    description:
      'one full pass per block fills the prefix cache, block and suffix are recomputed, confidence 0.9 (gives up D1-kv)',
    source:
      'Fast-dLLM v1 (arXiv:2505.22618), prefix cache + parallel decoding; without the extra forward of June 2025',
    window: { kind: 'per-block', extent: 'suffix' },
    cache: { kind: 'per-block' },
    commit: { kind: 'threshold', tau: 0.9 },
  },
  {
    name: 'fast-dllm-dual',
    description:
      'one full pass per block fills the cache of prefix and suffix, only the block is recomputed, confidence 0.9 (gives up D1-kv, B2-masked-kv)',
    source:
      'Fast-dLLM v1 (arXiv:2505.22618), dual cache + parallel decoding; without the extra forward of June 2025',
    window: { kind: 'per-block', extent: 'block' },
    cache: { kind: 'per-block' },
    commit: { kind: 'threshold', tau: 0.9 },
  },
  {
    name: 'fast-dllm-factor',
    description:
      'fast-dllm-dual with the factor rule instead of the threshold (gives up D1-kv, B2-masked-kv)',
    source: 'Fast-dLLM v1 (arXiv:2505.22618), factor 1; without its off-by-one at the last rank',
    window: { kind: 'per-block', extent: 'block' },
    cache: { kind: 'per-block' },
    commit: { kind: 'factor' },
  },
  {
    name: 'dkv',
    description:
      'full canvas, one token per step; a decided position is recomputed once, then cached, all anew every 8 steps (gives up D1-kv)',
    source: 'dKV-Cache-Decode (arXiv:2505.15781)',
    window: { kind: 'canvas' },
    cache: { kind: 'decided' },
    commit: { kind: 'quota' },
  },
  {
    name: 'wino',
    description:
      'full canvas, drafts above 0.6, and a shadow copy of the block that takes weak tokens back (gives up D4-every-step)',
    source: 'WINO (arXiv:2507.18578), tau_1 0.6 and tau_2 0.9; its block length is 128',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'revocable' },
    revoke: { kind: 'shadow' },
  },
  {
    name: 'block-causal',
    description:
      'block by block on exact prefix KV: blocks begin at position 0, see themselves and what is left of them; confidence above 0.95',
    source: 'LLaDA2.0 (strict 0.95) and SDAR; the last block ends with the text instead of being filled up',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal' },
    commit: { kind: 'threshold', tau: 0.95, compare: 'above' },
  },
  {
    name: 'eb-sampler',
    description:
      'block by block on prefix KV; by rising entropy, for as long as the sum before stays within 0.15 nats',
    source: 'EB-Sampler (arXiv:2505.24857); gamma of SGLang eb_sampling',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'entropy-bound' },
    confidence: 'inverse-perplexity',
  },
  {
    name: 'local-leap',
    description: 'block by block on prefix KV; masks at 0.9, and those within 4 positions of one at 0.75',
    source: 'LocalLeap (arXiv:2510.07081)',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass' },
    commit: { kind: 'local-leap' },
  },
  {
    name: 'joint-threshold',
    description:
      'block by block on exact prefix KV from position 0; masks above 0.5, and tokens of the block that give way to another one (gives up B1-edits, D4-every-step)',
    source: 'LLaDA2.1, algorithm joint_threshold of SGLang and its defaults; without its penalty, which is 0',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal' },
    commit: { kind: 'joint-threshold' },
  },
  {
    name: 'prophet',
    description:
      'llada, until the best two logits of the answer are far enough apart, then everything at once; the answer is expected at position 100 (gives up B1-one-block)',
    source:
      'Prophet (arXiv:2508.19982), generate_earlyexit.py with its thresholds 7.5, 5, 2.5; where the answer is, commit.answer, has to be set for other texts',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'early-commit' },
  },
  {
    name: 'klass',
    description:
      'full canvas; masks above 0.9 whose distribution moved by less than 0.01 nats in each of the last two steps',
    source: 'KLASS (arXiv:2511.05664), stable_confident_decode of its LLaDA code at as many steps as tokens',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'klass' },
  },
  {
    name: 'bounded-rank',
    description:
      'block by block on exact prefix KV from position 0; 0.9, or above 0.45 what the rank among the masks asks for',
    source:
      'Nemotron-Labs-Diffusion, sampler threshold_bound; threshold_ref and cumulative_error are its options',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal' },
    commit: { kind: 'bounded-rank' },
  },
  {
    name: 'multi-block',
    description:
      'full canvas; a block opens when 0.1 of the one before is decided, every mask below 0.4 nats is committed (gives up B1-one-block)',
    source: 'd3LLM (SGLang pull 20615), generate_multi_block: without cache',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'active-blocks' },
    confidence: 'inverse-perplexity',
  },
  {
    name: 'multi-block-cached',
    description:
      'multi-block that reads finished blocks from a cache: a block is cached a forward after it was first seen finished, and that forward computes everything anew (gives up D1-kv, B1-one-block)',
    source: 'd3LLM, generate_multi_block_kv_cache with cache_delay_iter 1; without its periodic refresh',
    window: { kind: 'canvas' },
    cache: { kind: 'delayed' },
    commit: { kind: 'active-blocks' },
    confidence: 'inverse-perplexity',
  },
  {
    name: 'sdar',
    blockLength: 4,
    description:
      'block by block on exact prefix KV in blocks of 4 from position 0; every token above 0.85, or the best one',
    source: 'SDAR generate, low_confidence_dynamic; its threshold 0.85 as TraDo runs it',
    blockOrigin: 'zero',
    window: { kind: 'block' },
    cache: { kind: 'prefix', seal: 'pass', prompt: 'block-causal' },
    commit: { kind: 'threshold', tau: 0.85, compare: 'above' },
  },
  {
    name: 'rnd1',
    blockLength: 128,
    description: 'full canvas in one block, one token per step, lowest entropy first',
    source:
      'RND1 demo_rnd_generation.py: entropy-based selection, as many steps as tokens; greedy where it has 0.01',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    confidence: 'neg-entropy',
  },
  {
    name: 'llada-random',
    description:
      'llada with random remasking: the place of the next token is drawn, not the most confident one',
    source: 'LLaDA generate, remasking random',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    confidence: 'random',
  },
  {
    name: 'llada-cfg',
    description:
      'llada with classifier-free guidance at scale 1: the canvas twice per step, once with the prompt masked',
    source: 'LLaDA generate, cfg_scale; one forward of twice the rows',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    guidance: 1,
  },
  {
    name: 'llada-gumbel',
    description:
      'llada at temperature 0.5: tokens drawn by Gumbel noise, confidence of the logits without noise',
    source: 'LLaDA generate, temperature; noise in f64 and in its logarithmic form',
    window: { kind: 'canvas' },
    cache: { kind: 'none' },
    commit: { kind: 'quota' },
    sampling: { kind: 'gumbel', temperature: 0.5 },
  },
] as const satisfies readonly PolicySpecInput[];
