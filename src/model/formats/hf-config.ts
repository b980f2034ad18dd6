import { z } from 'zod';
import { DataError } from '../../errors.js';
import { readJson } from '../../util/read-file.js';
import type { ModelConfig } from '../config.js';
import { llamaFamily, llamaToHf, parseLlamaConfig } from './hf-config-llama.js';

const size = z.number().int().positive().max(1_000_000_000);
const tokenId = z.number().int().nonnegative();

/** The keys of LLaDA's config.json that shape the computation; others are allowed and ignored. */
const lladaSchema = z.looseObject({
  model_type: z.literal('llada', 'must be llada, Dream, lladamoe or llama'),
  d_model: size,
  n_layers: size.max(10_000),
  n_heads: size,
  n_kv_heads: size.nullish(),
  mlp_hidden_size: size,
  vocab_size: size,
  embedding_size: size.nullish(),
  max_sequence_length: size,
  rope_theta: z.number().positive(),
  rms_norm_eps: z.number().positive(),
  weight_tying: z.boolean().default(false),
  include_qkv_bias: z.boolean().nullish(),
  include_bias: z.literal(false, 'biases outside Q, K and V are not supported').optional(),
  rope: z.literal(true, 'only rotary positions are supported').optional(),
  layer_norm_type: z.literal('rms', 'only RMSNorm is supported').optional(),
  activation_type: z.literal('silu', 'only SiLU is supported').optional(),
  mask_token_id: tokenId,
  bos_token_id: tokenId.nullish(),
  eos_token_id: tokenId,
});

/**
 * A Hugging Face `config.json` of LLaDA, Dream, LLaDA-MoE or Llama as a ModelConfig.
 * @throws EnvironmentError when it cannot be read; DataError naming the key that is wrong
 */
export async function readHfConfig(path: string, name: string): Promise<ModelConfig> {
  return parseHfConfig(readJson(path), name, path);
}

/** @throws DataError naming the key that is wrong */
export function parseHfConfig(json: unknown, name: string, label: string): ModelConfig {
  const family = llamaFamily(json);
  if (family !== null) return parseLlamaConfig(family, json, name, label);
  const parsed = lladaSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DataError(`${label}: ${issue?.path.join('.') || 'content'}: ${issue?.message}`);
  }
  const c = parsed.data;
  if (c.d_model % c.n_heads !== 0) {
    throw new DataError(`${label}: d_model ${c.d_model} is not a multiple of n_heads ${c.n_heads}`);
  }
  const vocab = c.embedding_size ?? c.vocab_size;
  for (const key of ['mask_token_id', 'eos_token_id', 'bos_token_id'] as const) {
    const id = c[key];
    if (id !== null && id !== undefined && id >= vocab) {
      throw new DataError(`${label}: ${key} ${id} is outside the vocabulary of ${vocab}`);
    }
  }
  return {
    name,
    arch: 'llada',
    layers: c.n_layers,
    hidden: c.d_model,
    heads: c.n_heads,
    kvHeads: c.n_kv_heads ?? c.n_heads,
    headDim: c.d_model / c.n_heads,
    ffn: c.mlp_hidden_size,
    vocab,
    ropeTheta: c.rope_theta,
    rmsEps: c.rms_norm_eps,
    qkvBias: c.include_qkv_bias ?? false,
    qkNorm: false,
    tiedHead: c.weight_tying,
    shiftLogits: false,
    attention: 'bidirectional',
    contextLength: c.max_sequence_length,
    maskId: c.mask_token_id,
    bosId: c.bos_token_id ?? null,
    eosId: c.eos_token_id,
  };
}

/** `config.json` of a model: what `parseHfConfig` reads, in the keys of its family. */
export function configToHf(config: ModelConfig): Record<string, unknown> {
  if (config.arch !== 'llada') return llamaToHf(config.arch, config);
  return {
    architectures: ['LLaDAModelLM'],
    model_type: 'llada',
    d_model: config.hidden,
    n_layers: config.layers,
    n_heads: config.heads,
    n_kv_heads: config.kvHeads,
    mlp_hidden_size: config.ffn,
    vocab_size: config.vocab,
    embedding_size: config.vocab,
    max_sequence_length: config.contextLength,
    rope: true,
    rope_theta: config.ropeTheta,
    layer_norm_type: 'rms',
    rms_norm_eps: config.rmsEps,
    activation_type: 'silu',
    weight_tying: config.tiedHead,
    include_bias: false,
    include_qkv_bias: config.qkvBias,
    mask_token_id: config.maskId,
    bos_token_id: config.bosId,
    eos_token_id: config.eosId,
  };
}
