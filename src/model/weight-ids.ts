import { UsageError } from '../errors.js';
import type { EncoderShape, ModelShape } from './model-shape.js';

/**
 * Canonical weight ids: GGUF's names. Matrices are [out, in]; Q and K rows are in the order of half-split RoPE
 * (Hugging Face's), whatever order a file stores them in.
 */
export type LayerWeight =
  | 'attn_norm'
  | 'attn_q'
  | 'attn_k'
  | 'attn_v'
  | 'attn_output'
  | 'attn_output_lora_a'
  | 'attn_output_lora_b'
  | 'attn_q_norm'
  | 'attn_k_norm'
  | 'ffn_norm'
  | 'ffn_gate'
  | 'ffn_up'
  | 'ffn_down'
  | 'ffn_gate_inp'
  | 'ffn_gate_exps'
  | 'ffn_up_exps'
  | 'ffn_down_exps'
  | 'exp_probs_b'
  | 'ffn_gate_shexp'
  | 'ffn_up_shexp'
  | 'ffn_down_shexp'
  | 'attn_output_norm'
  | 'layer_output_norm'
  | 'mixer_in'
  | 'mixer_gates'
  | 'mixer_conv'
  | 'mixer_out'
  | 'layer_gate'
  | 'layer_proj'
  | 'self_cond_gate'
  | 'self_cond_up'
  | 'self_cond_down';

export function layerWeightId(
  layer: number,
  weight: LayerWeight,
  part: 'weight' | 'bias' = 'weight',
): string {
  return `blk.${layer}.${weight}.${part}`;
}

/** Tables of an encoder, and what stands around its layers. */
export const ENCODER_IDS = {
  positions: 'position_embd.weight',
  types: 'token_types.weight',
  embeddingNorm: 'token_embd_norm',
  widen: 'embd_to_hidden',
  narrow: 'hidden_to_embd',
  headNorm: 'head_norm',
  headBias: 'output_bias.bias',
} as const;

/** Whether only passes that draft multiply by it. */
export function isOfAdapter(id: string): boolean {
  return id.includes('_lora_');
}

/** Whether rows of a matrix are looked up and not multiplied by. */
export function isTable(id: string): boolean {
  return id === embeddingId() || id === ENCODER_IDS.positions || id === ENCODER_IDS.types;
}

export function embeddingId(): string {
  return 'token_embd.weight';
}

/** The head of a model that does not use its embedding. */
export const UNTIED_HEAD = 'output.weight';

/** The head's matrix, [vocab, hidden]: the embedding itself when the head is tied. */
export function headId(config: ModelShape): string {
  return config.tiedHead ? embeddingId() : UNTIED_HEAD;
}

/**
 * Every weight a model must have, with its shape.
 * @throws UsageError for a model that can only be timed
 */
export function weightShapes(config: ModelShape): ReadonlyMap<string, readonly number[]> {
  if (config.timed !== undefined) {
    throw new UsageError(
      `${config.name} can be timed, not run: no engine has its recurrent or per-layer operators`,
    );
  }
  if (config.encoder !== undefined) return encoderShapes(config, config.encoder);
  const { hidden, headDim, ffn, vocab, moe } = config;
  const qWidth = config.heads * headDim;
  const kvWidth = config.kvHeads * headDim;
  const shapes = new Map<string, readonly number[]>([[embeddingId(), [vocab, hidden]]]);
  for (let layer = 0; layer < config.layers; layer++) {
    const put = (weight: LayerWeight, shape: readonly number[], part: 'weight' | 'bias' = 'weight') =>
      shapes.set(layerWeightId(layer, weight, part), shape);
    put('attn_norm', [hidden]);
    for (const [weight, width] of [
      ['attn_q', qWidth],
      ['attn_k', kvWidth],
      ['attn_v', kvWidth],
    ] as const) {
      put(weight, [width, hidden]);
      if (config.qkvBias) put(weight, [width], 'bias');
    }
    if (config.qkNorm) {
      put('attn_q_norm', [headDim]);
      put('attn_k_norm', [headDim]);
    }
    put('attn_output', [hidden, qWidth]);
    if (config.outputBias) put('attn_output', [hidden], 'bias');
    if (config.draftAdapter !== undefined) {
      put('attn_output_lora_a', [config.draftAdapter.rank, qWidth]);
      put('attn_output_lora_b', [hidden, config.draftAdapter.rank]);
    }
    put('ffn_norm', [hidden]);
    if (moe === undefined || layer < (moe.denseLayers ?? 0)) {
      for (const [weight, width, from] of [
        ['ffn_gate', ffn, hidden],
        ['ffn_up', ffn, hidden],
        ['ffn_down', hidden, ffn],
      ] as const) {
        put(weight, [width, from]);
        if (config.ffnBias) put(weight, [width], 'bias');
      }
    } else {
      put('ffn_gate_inp', [moe.experts, hidden]);
      put('ffn_gate_exps', [moe.experts, moe.expertFfn, hidden]);
      put('ffn_up_exps', [moe.experts, moe.expertFfn, hidden]);
      put('ffn_down_exps', [moe.experts, hidden, moe.expertFfn]);
      if (moe.grouped !== undefined) put('exp_probs_b', [moe.experts], 'bias');
      if (moe.sharedFfn !== undefined) {
        put('ffn_gate_shexp', [moe.sharedFfn, hidden]);
        put('ffn_up_shexp', [moe.sharedFfn, hidden]);
        put('ffn_down_shexp', [hidden, moe.sharedFfn]);
      }
    }
  }
  shapes.set('output_norm.weight', [hidden]);
  if (!config.tiedHead) shapes.set(headId(config), [vocab, hidden]);
  return shapes;
}

function encoderShapes(
  { hidden, heads, headDim, ffn, vocab, contextLength }: ModelShape,
  { embeddingWidth: narrow, tokenTypes }: EncoderShape,
): ReadonlyMap<string, readonly number[]> {
  const wide = heads * headDim;
  const vectors = (id: string, parts: readonly string[], width: number) =>
    parts.map((part) => [`${id}.${part}`, [width]] as const);
  const norm = (id: string, width: number) => vectors(id, ['weight', 'bias'], width);
  const linear = (id: string, out: number, from: number) =>
    [[`${id}.weight`, [out, from]], ...vectors(id, ['bias'], out)] as const;
  return new Map<string, readonly number[]>([
    [embeddingId(), [vocab, narrow]],
    [ENCODER_IDS.positions, [contextLength, narrow]],
    [ENCODER_IDS.types, [tokenTypes, narrow]],
    ...norm(ENCODER_IDS.embeddingNorm, narrow),
    ...linear(ENCODER_IDS.widen, hidden, narrow),
    ...(['attn_q', 'attn_k', 'attn_v'] as const).flatMap((weight) => linear(`blk.0.${weight}`, wide, hidden)),
    ...linear('blk.0.attn_output', hidden, wide),
    ...norm('blk.0.attn_output_norm', hidden),
    ...linear('blk.0.ffn_up', ffn, hidden),
    ...linear('blk.0.ffn_down', hidden, ffn),
    ...norm('blk.0.layer_output_norm', hidden),
    ...linear(ENCODER_IDS.narrow, narrow, hidden),
    ...norm(ENCODER_IDS.headNorm, narrow),
    [ENCODER_IDS.headBias, [vocab]],
  ]);
}
