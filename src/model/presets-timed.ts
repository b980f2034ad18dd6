import type { LayerShape, ModelConfig } from './config.js';

/**
 * Models whose layers are not all attention and feed-forward of one size: timed, never run. Sizes are those of the
 * config.json of the Hugging Face repositories named after them.
 */
const COMMON = {
  arch: 'llama',
  rmsEps: 1e-6,
  ropeTheta: 10_000_000,
  qkvBias: false,
  qkNorm: true,
  tiedHead: true,
  shiftLogits: true,
  attention: 'causal',
  contextLength: 4096,
  maskId: null,
  bosId: null,
} as const;

/** Three gated-delta layers, then one of gated attention (Qwen3.5). */
function qwen35(
  name: string,
  sizes: Pick<ModelConfig, 'layers' | 'hidden' | 'heads' | 'kvHeads' | 'ffn' | 'tiedHead'>,
  valueHeads: number,
): ModelConfig {
  const shapes = Array.from(
    { length: sizes.layers },
    (_, at): LayerShape => ({
      mixer: at % 4 === 3 ? 'attention' : 'gated-delta',
    }),
  );
  return {
    ...COMMON,
    ...sizes,
    name,
    headDim: 256,
    vocab: 248_320,
    eosId: 248_044,
    timed: {
      shapes,
      convTaps: 4,
      gatedAttention: true,
      delta: { keyHeads: 16, valueHeads, keyDim: 128, valueDim: 128 },
    },
  };
}

/** Short convolutions with attention at some layers (LFM2). */
function lfm2(
  config: Pick<ModelConfig, 'name' | 'layers' | 'hidden' | 'heads' | 'kvHeads' | 'ffn' | 'moe'>,
  attentionAt: readonly number[],
  denseLayers: number,
): ModelConfig {
  const shapes = Array.from(
    { length: config.layers },
    (_, at): LayerShape => ({
      mixer: attentionAt.includes(at) ? 'attention' : 'short-conv',
      ...(at < denseLayers ? { dense: true } : {}),
    }),
  );
  const headDim = config.hidden / config.heads;
  return {
    ...COMMON,
    ...config,
    headDim,
    ropeTheta: 1_000_000,
    rmsEps: 1e-5,
    vocab: 65_536,
    eosId: 7,
    timed: { shapes, convTaps: 3 },
  };
}

/** Every fifth layer attends to everything with wider heads, the others to 512 positions; the last 20 share K and V. */
const GEMMA_4_E2B_LAYERS = Array.from(
  { length: 35 },
  (_, at): LayerShape => ({
    mixer: at >= 15 ? 'shared-kv' : 'attention',
    ...(at % 5 === 4 ? { headDim: 512 } : { headDim: 256, window: 512 }),
    ffn: at >= 15 ? 12_288 : 6144,
  }),
);

export const TIMED_ONLY: readonly ModelConfig[] = [
  qwen35('qwen3.5-0.8b', { layers: 24, hidden: 1024, heads: 8, kvHeads: 2, ffn: 3584, tiedHead: true }, 16),
  qwen35('qwen3.5-2b', { layers: 24, hidden: 2048, heads: 8, kvHeads: 2, ffn: 6144, tiedHead: true }, 16),
  qwen35('qwen3.5-4b', { layers: 32, hidden: 2560, heads: 16, kvHeads: 4, ffn: 9216, tiedHead: true }, 32),
  qwen35('qwen3.5-9b', { layers: 32, hidden: 4096, heads: 16, kvHeads: 4, ffn: 12_288, tiedHead: false }, 32),
  lfm2(
    { name: 'lfm2.5-230m', layers: 14, hidden: 1024, heads: 16, kvHeads: 8, ffn: 2560 },
    [2, 4, 6, 8, 10, 12],
    0,
  ),
  lfm2(
    { name: 'lfm2-350m', layers: 16, hidden: 1024, heads: 16, kvHeads: 8, ffn: 4608 },
    [2, 5, 8, 10, 12, 14],
    0,
  ),
  lfm2(
    { name: 'lfm2-1.2b', layers: 16, hidden: 2048, heads: 32, kvHeads: 8, ffn: 8192 },
    [2, 5, 8, 10, 12, 14],
    0,
  ),
  lfm2(
    {
      name: 'lfm2-8b-a1b',
      layers: 24,
      hidden: 2048,
      heads: 32,
      kvHeads: 8,
      ffn: 7168,
      moe: { experts: 32, expertsPerToken: 4, expertFfn: 1792, renormalise: true },
    },
    [2, 6, 10, 14, 18, 21],
    2,
  ),
  {
    ...COMMON,
    name: 'gemma-4-e2b',
    layers: 35,
    hidden: 1536,
    heads: 8,
    kvHeads: 1,
    headDim: 256,
    ffn: 6144,
    vocab: 262_144,
    eosId: 1,
    bosId: 2,
    ropeTheta: 1_000_000,
    timed: { shapes: GEMMA_4_E2B_LAYERS, layerInput: 256 },
  },
  {
    // Every second layer attends to 128 positions only.
    ...COMMON,
    name: 'gpt-oss-20b',
    layers: 24,
    hidden: 2880,
    heads: 64,
    kvHeads: 8,
    headDim: 64,
    ffn: 0,
    vocab: 201_088,
    eosId: 200_002,
    qkvBias: true,
    qkNorm: false,
    tiedHead: false,
    rmsEps: 1e-5,
    moe: { experts: 32, expertsPerToken: 4, expertFfn: 2880, renormalise: true },
    timed: {
      shapes: Array.from(
        { length: 24 },
        (_, at): LayerShape => ({
          mixer: 'attention',
          ...(at % 2 === 0 ? { window: 128 } : {}),
        }),
      ),
    },
  },
];
