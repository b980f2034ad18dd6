import type { ModelConfig } from './config.js';

/** What the autoregressive models below share. They are timed, never run: token ids only matter to an engine. */
const COMMON = {
  arch: 'llama',
  rmsEps: 1e-5,
  ropeTheta: 500_000,
  qkvBias: false,
  qkNorm: false,
  tiedHead: true,
  shiftLogits: true,
  attention: 'causal',
  contextLength: 4096,
  maskId: null,
} as const;

const LLAMA = { ...COMMON, bosId: 128000, eosId: 128001, vocab: 128256 } as const;
const LLAMA_2 = { ...COMMON, bosId: 1, eosId: 2, vocab: 32000, tiedHead: false } as const;
const QWEN_2_5 = {
  ...COMMON,
  rmsEps: 1e-6,
  ropeTheta: 1_000_000,
  qkvBias: true,
  bosId: null,
  eosId: 151643,
} as const;
const QWEN_3 = {
  ...QWEN_2_5,
  qkvBias: false,
  qkNorm: true,
  vocab: 151936,
  headDim: 128,
  kvHeads: 8,
} as const;

/**
 * Shapes of autoregressive models that others have measured on Hexagon NPUs (config.json of the Hugging Face
 * repositories named after them). The machine is checked against those measurements.
 */
export const AUTOREGRESSIVE: readonly ModelConfig[] = [
  { ...QWEN_3, name: 'qwen3-0.6b', layers: 28, hidden: 1024, heads: 16, ffn: 3072 },
  { ...QWEN_3, name: 'qwen3-1.7b', layers: 28, hidden: 2048, heads: 16, ffn: 6144 },
  { ...QWEN_3, name: 'qwen3-4b', layers: 36, hidden: 2560, heads: 32, ffn: 9728 },
  { ...QWEN_3, name: 'qwen3-8b', layers: 36, hidden: 4096, heads: 32, ffn: 12288, tiedHead: false },
  {
    ...{ ...QWEN_2_5, name: 'qwen2.5-0.5b', layers: 24, hidden: 896, heads: 14, kvHeads: 2, headDim: 64 },
    ...{ ffn: 4864, vocab: 151936 },
  },
  {
    ...{ ...QWEN_2_5, name: 'qwen2.5-1.5b', layers: 28, hidden: 1536, heads: 12, kvHeads: 2, headDim: 128 },
    ...{ ffn: 8960, vocab: 151936 },
  },
  {
    ...{ ...QWEN_2_5, name: 'qwen2.5-3b', layers: 36, hidden: 2048, heads: 16, kvHeads: 2, headDim: 128 },
    ...{ ffn: 11008, vocab: 151936 },
  },
  {
    ...{ ...QWEN_2_5, name: 'qwen2.5-7b', layers: 28, hidden: 3584, heads: 28, kvHeads: 4, headDim: 128 },
    ...{ ffn: 18944, vocab: 152064, tiedHead: false },
  },
  { ...LLAMA, name: 'llama-3.2-1b', layers: 16, hidden: 2048, heads: 32, kvHeads: 8, headDim: 64, ffn: 8192 },
  {
    ...LLAMA,
    name: 'llama-3.2-3b',
    layers: 28,
    hidden: 3072,
    heads: 24,
    kvHeads: 8,
    headDim: 128,
    ffn: 8192,
  },
  {
    ...{ ...LLAMA, name: 'llama-3.1-8b', layers: 32, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128 },
    ...{ ffn: 14336, tiedHead: false },
  },
  {
    ...LLAMA_2,
    name: 'llama-2-7b',
    layers: 32,
    hidden: 4096,
    heads: 32,
    kvHeads: 32,
    headDim: 128,
    ffn: 11008,
  },
  {
    ...LLAMA_2,
    name: 'llama-2-13b',
    layers: 40,
    hidden: 5120,
    heads: 40,
    kvHeads: 40,
    headDim: 128,
    ffn: 13824,
  },
  {
    ...LLAMA_2,
    name: 'tinyllama-1.1b',
    layers: 22,
    hidden: 2048,
    heads: 32,
    kvHeads: 4,
    headDim: 64,
    ffn: 5632,
  },
  {
    ...LLAMA_2,
    name: 'mistral-7b',
    layers: 32,
    hidden: 4096,
    heads: 32,
    kvHeads: 8,
    headDim: 128,
    ffn: 14336,
  },
  {
    ...{ ...COMMON, name: 'phi-3.5-mini', layers: 32, hidden: 3072, heads: 32, kvHeads: 32, headDim: 96 },
    ...{ ffn: 8192, vocab: 32064, tiedHead: false, bosId: 1, eosId: 32000 },
  },
  {
    ...{ ...COMMON, name: 'phi-4-mini', layers: 32, hidden: 3072, heads: 24, kvHeads: 8, headDim: 128 },
    ...{ ffn: 8192, vocab: 200064, bosId: 199999, eosId: 199999 },
  },
  {
    ...{ ...COMMON, name: 'smollm3-3b', layers: 36, hidden: 2048, heads: 16, kvHeads: 4, headDim: 128 },
    ...{ ffn: 11008, vocab: 128256, bosId: null, eosId: 128012 },
  },
  {
    // GeGLU instead of SwiGLU: the same shapes, and the same cost in the model.
    ...{ ...COMMON, name: 'gemma-2b', layers: 18, hidden: 2048, heads: 8, kvHeads: 1, headDim: 256 },
    ...{ ffn: 16384, vocab: 256000, bosId: 2, eosId: 1 },
  },
];
