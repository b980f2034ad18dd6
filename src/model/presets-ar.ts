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
  {
    ...{ ...COMMON, name: 'gemma-3-1b', layers: 26, hidden: 1152, heads: 4, kvHeads: 1, headDim: 256 },
    ...{ ffn: 6912, vocab: 262_144, qkNorm: true, bosId: 2, eosId: 1 },
  },
  {
    ...{ ...COMMON, name: 'gemma-3-270m', layers: 18, hidden: 640, heads: 4, kvHeads: 1, headDim: 256 },
    ...{ ffn: 2048, vocab: 262_144, qkNorm: true, bosId: 2, eosId: 1 },
  },
  {
    ...{ ...COMMON, name: 'gemma-3-4b', layers: 34, hidden: 2560, heads: 8, kvHeads: 4, headDim: 256 },
    ...{ ffn: 10_240, vocab: 262_208, qkNorm: true, bosId: 2, eosId: 1 },
  },
  {
    ...{ ...COMMON, name: 'gemma-2-2b', layers: 26, hidden: 2304, heads: 8, kvHeads: 4, headDim: 256 },
    ...{ ffn: 9216, vocab: 256_000, bosId: 2, eosId: 1 },
  },
  {
    ...{ ...QWEN_2_5, name: 'qwen2-1.5b', layers: 28, hidden: 1536, heads: 12, kvHeads: 2, headDim: 128 },
    ...{ ffn: 8960, vocab: 151_936, tiedHead: true },
  },
  {
    ...{ ...QWEN_2_5, name: 'qwen2-7b', layers: 28, hidden: 3584, heads: 28, kvHeads: 4, headDim: 128 },
    ...{ ffn: 18_944, vocab: 152_064, tiedHead: false },
  },
  {
    ...{ ...QWEN_2_5, name: 'qwen1.5-1.8b', layers: 24, hidden: 2048, heads: 16, kvHeads: 16, headDim: 128 },
    ...{ ffn: 5504, vocab: 151_936, tiedHead: false },
  },
  { ...QWEN_3, name: 'qwen3-14b', layers: 40, hidden: 5120, heads: 40, ffn: 17_408, tiedHead: false },
  {
    // The fused multi-head attention and two-matrix GELU feed-forward cost what these sizes say but for the gate.
    ...{ ...COMMON, name: 'phi-2', layers: 32, hidden: 2560, heads: 32, kvHeads: 32, headDim: 80 },
    ...{ ffn: 6848, vocab: 51_200, tiedHead: false, bosId: null, eosId: 50_256 },
  },
  {
    ...{ ...COMMON, name: 'granite-3.1-8b', layers: 40, hidden: 4096, heads: 32, kvHeads: 8, headDim: 128 },
    ...{ ffn: 12_800, vocab: 49_155, bosId: 0, eosId: 0 },
  },
  {
    ...{ ...COMMON, name: 'granite-3.3-2b', layers: 40, hidden: 2048, heads: 32, kvHeads: 8, headDim: 64 },
    ...{ ffn: 8192, vocab: 49_159, bosId: 0, eosId: 0 },
  },
  {
    ...{ ...COMMON, name: 'baichuan2-7b', layers: 32, hidden: 4096, heads: 32, kvHeads: 32, headDim: 128 },
    ...{ ffn: 11_008, vocab: 125_696, tiedHead: false, bosId: 1, eosId: 2 },
  },
  {
    ...{ ...COMMON, name: 'falcon3-7b', layers: 28, hidden: 3072, heads: 12, kvHeads: 4, headDim: 256 },
    ...{ ffn: 23_040, vocab: 131_072, tiedHead: false, bosId: null, eosId: 11 },
  },
  {
    ...{ ...COMMON, name: 'smollm2-135m', layers: 30, hidden: 576, heads: 9, kvHeads: 3, headDim: 64 },
    ...{ ffn: 1536, vocab: 49_152, bosId: 1, eosId: 2 },
  },
  {
    ...{ ...COMMON, name: 'smollm2-1.7b', layers: 24, hidden: 2048, heads: 32, kvHeads: 32, headDim: 64 },
    ...{ ffn: 8192, vocab: 49_152, bosId: 1, eosId: 2 },
  },
  {
    ...{ ...COMMON, name: 'internlm2-1.8b', layers: 24, hidden: 2048, heads: 16, kvHeads: 8, headDim: 128 },
    ...{ ffn: 8192, vocab: 92_544, tiedHead: false, bosId: 1, eosId: 2 },
  },
  {
    ...{ ...LLAMA_2, name: 'stories110m', layers: 12, hidden: 768, heads: 12, kvHeads: 12, headDim: 64 },
    ...{ ffn: 2048, tiedHead: true },
  },
  {
    ...{ ...COMMON, name: 'olmoe-1b-7b', layers: 16, hidden: 2048, heads: 16, kvHeads: 16, headDim: 128 },
    ...{ ffn: 0, vocab: 50_304, qkNorm: true, tiedHead: false, bosId: null, eosId: 50_279 },
    moe: { experts: 64, expertsPerToken: 8, expertFfn: 1024, renormalise: false },
  },
  {
    ...{ ...QWEN_3, name: 'qwen3-30b-a3b', layers: 48, hidden: 2048, heads: 32, kvHeads: 4, ffn: 0 },
    tiedHead: false,
    moe: { experts: 128, expertsPerToken: 8, expertFfn: 768, renormalise: true },
  },
];

/** Other names of the same shapes: fine-tunes, and models that differ in less than the machine looks at. */
export const ALIASES: Readonly<Record<string, string>> = {
  'llama-3-taide-lx-8b': 'llama-3-8b',
  'internlm-1.8b': 'internlm2-1.8b',
  'phi-2-2.7b': 'phi-2',
  'smallthinker-3b': 'qwen2.5-3b',
  'smallthinker-3b-preview': 'qwen2.5-3b',
  'stories-110m': 'stories110m',
  'qwen2.5-coder-7b': 'qwen2.5-7b',
  'gemma3-4b': 'gemma-3-4b',
  'llama-sea-lion-3.5-8b-r': 'llama-3.1-8b',
  'mistral-7b-v0.3': 'mistral-7b',
  'deepseek-r1-distill-qwen-1.5b': 'qwen2.5-1.5b',
  'deepseek-r1-distill-qwen-7b': 'qwen2.5-7b',
  'deepseek-r1-distill-llama-8b': 'llama-3.1-8b',
  'gemma-2b-it': 'gemma-2b',
  'gemma3-1b': 'gemma-3-1b',
  'granite-3.1-8b-instruct': 'granite-3.1-8b',
  'lfm2.5-8b-a1b': 'lfm2-8b-a1b',
  'lfm2.5-350m': 'lfm2-350m',
  'lfm2.5-1.2b': 'lfm2-1.2b',
};
