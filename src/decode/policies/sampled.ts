import type { PolicySpecInput } from '../spec.js';

const dream = {
  blockLength: 128,
  window: { kind: 'canvas' },
  cache: { kind: 'none' },
  commit: { kind: 'timestep' },
  confidenceType: 'f32',
  sampling: { kind: 'filtered' },
} as const satisfies Partial<PolicySpecInput>;

const SHARE = 'full canvas in one block, a share of the masks per step, temperature 0.2 and top-p 0.95';

/** Dream `diffusion_generate` with its four algorithms. Confidences in f32, the type of the shipped model; Dream-7B itself runs in bf16. */
export const DREAM_SPECS = [
  {
    ...dream,
    name: 'dream',
    description: `${SHARE}, lowest entropy first (gives up D4-every-step)`,
    source: 'Dream diffusion_generate, alg entropy',
    confidence: 'neg-entropy',
  },
  {
    ...dream,
    name: 'dream-maskgit',
    description: `${SHARE}, most probable token first (gives up D4-every-step)`,
    source: 'Dream diffusion_generate, alg maskgit_plus',
  },
  {
    ...dream,
    name: 'dream-margin',
    description: `${SHARE}, largest margin first (gives up D4-every-step)`,
    source: 'Dream diffusion_generate, alg topk_margin',
    confidence: 'margin',
  },
  {
    ...dream,
    name: 'dream-origin',
    description: `${SHARE}, every mask by its own coin (gives up D4-every-step)`,
    source: 'Dream diffusion_generate, alg origin',
    commit: { kind: 'timestep', transfer: 'each' },
  },
] as const satisfies readonly PolicySpecInput[];

const llamaCpp = {
  window: { kind: 'canvas' },
  cache: { kind: 'none' },
  commit: { kind: 'quota' },
  confidenceType: 'f32',
  sampling: { kind: 'filtered', order: 'llama.cpp', temperature: 0.8, topK: 40 },
} as const satisfies Partial<PolicySpecInput>;

const QUOTAS = 'full canvas, quotas per block, tokens sampled after top-k 40, top-p 0.95, temperature 0.8';

/**
 * llama.cpp `examples/diffusion` with its five algorithms and two schedules. Ties go to the lower position. Not taken
 * over: its blocks beyond the end of the canvas, which cost a forward each and commit nothing.
 */
export const LLAMA_CPP_SPECS = [
  {
    ...llamaCpp,
    name: 'llama.cpp-diffusion',
    description: `${QUOTAS}, most probable token first`,
    source: 'llama.cpp examples/diffusion, algorithm 4 (CONFIDENCE_BASED), block schedule',
  },
  {
    ...llamaCpp,
    name: 'llama.cpp-diffusion-eps',
    blockLength: 128,
    description:
      'full canvas in one block, a share of the masks per step, sampled as llama.cpp-diffusion (gives up D4-every-step)',
    source: 'llama.cpp examples/diffusion, algorithm 4 (CONFIDENCE_BASED), timestep schedule (eps 0.001)',
    commit: { kind: 'timestep' },
  },
  {
    ...llamaCpp,
    name: 'llama.cpp-diffusion-entropy',
    description: `${QUOTAS}, highest entropy first`,
    source: 'llama.cpp examples/diffusion, algorithm 1 (ENTROPY_BASED), which is inverted against Dream',
    confidence: 'entropy',
  },
  {
    ...llamaCpp,
    name: 'llama.cpp-diffusion-margin',
    description: `${QUOTAS}, largest margin first`,
    source: 'llama.cpp examples/diffusion, algorithm 2 (MARGIN_BASED), block schedule',
    confidence: 'margin',
  },
  {
    ...llamaCpp,
    name: 'llama.cpp-diffusion-random',
    description: `${QUOTAS}, in random order`,
    source: 'llama.cpp examples/diffusion, algorithm 3 (RANDOM), block schedule',
    confidence: 'random',
  },
  {
    ...llamaCpp,
    name: 'llama.cpp-diffusion-origin',
    description: `${QUOTAS}, every mask by its own coin (gives up D4-every-step)`,
    source: 'llama.cpp examples/diffusion, algorithm 0 (ORIGIN), block schedule',
    commit: { kind: 'quota', transfer: 'each' },
  },
] as const satisfies readonly PolicySpecInput[];
