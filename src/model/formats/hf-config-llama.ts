import { z } from 'zod';
import { DataError } from '../../errors.js';
import type { Architecture, ModelConfig } from '../config.js';

const size = z.number().int().positive().max(1_000_000_000);
const tokenId = z.number().int().nonnegative();
/** Some configurations list several end tokens; the first is the end of text. */
const tokenIds = z.union([
  tokenId,
  z
    .array(tokenId)
    .min(1)
    .transform((ids) => ids[0]!),
]);

/** Keys that Llama, Dream (Qwen2) and LLaDA-MoE configurations share; others are allowed and ignored. */
const sharedSchema = z.looseObject({
  hidden_size: size,
  num_hidden_layers: size.max(10_000),
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  intermediate_size: size.nullish(),
  vocab_size: size,
  max_position_embeddings: size,
  rms_norm_eps: z.number().positive(),
  rope_theta: z.number().positive().default(10_000),
  rope_scaling: z.null('scaled rotary positions are not supported').optional(),
  hidden_act: z.literal('silu', 'only SiLU is supported').optional(),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().nullish(),
  mask_token_id: tokenId.nullish(),
  bos_token_id: tokenId.nullish(),
  eos_token_id: tokenIds,
});

const expertSchema = z.looseObject({
  num_experts: size,
  num_experts_per_tok: size,
  expert_intermediate_size: size,
  norm_topk_prob: z.boolean().nullish(),
  qk_layernorm: z.boolean().nullish(),
  shared_expert_intermediate_size: z.null('shared experts are not supported').optional(),
});

/** Mask token of LLaDA-MoE, which its configuration does not name (inclusionAI/LLaDA-MoE-7B-A1B-Instruct). */
const LLADA_MOE_MASK = 156895;

type Family = Exclude<Architecture, 'llada'>;

/** The family a `config.json` belongs to; null when it is none of these. */
export function llamaFamily(json: unknown): Family | null {
  const { model_type: type, num_experts: experts } = (json ?? {}) as Record<string, unknown>;
  if (type === 'llama') return 'llama';
  if (typeof type === 'string' && type.toLowerCase() === 'dream') return 'dream';
  // Early LLaDA-MoE checkpoints call themselves plain "llada".
  if (type === 'lladamoe' || type === 'llada_moe' || (type === 'llada' && experts !== undefined))
    return 'llada-moe';
  return null;
}

/** @throws DataError naming the key that is wrong */
export function parseLlamaConfig(arch: Family, json: unknown, name: string, label: string): ModelConfig {
  const c = check(sharedSchema, json, label);
  const experts = arch === 'llada-moe' ? check(expertSchema, json, label) : null;
  const heads = c.num_attention_heads;
  if (c.head_dim == null && c.hidden_size % heads !== 0)
    throw new DataError(
      `${label}: hidden_size ${c.hidden_size} is not a multiple of num_attention_heads ${heads}`,
    );
  const maskId =
    arch === 'llama' ? null : (c.mask_token_id ?? (arch === 'llada-moe' ? LLADA_MOE_MASK : null));
  if (arch === 'dream' && maskId === null) throw new DataError(`${label}: mask_token_id is missing`);
  for (const [key, id] of Object.entries({ mask_token_id: maskId, eos_token_id: c.eos_token_id })) {
    if (id !== null && id >= c.vocab_size)
      throw new DataError(`${label}: ${key} ${id} is outside the vocabulary of ${c.vocab_size}`);
  }
  const ffn = c.intermediate_size ?? 0;
  if (experts === null && ffn === 0) throw new DataError(`${label}: intermediate_size is missing`);
  return {
    name,
    arch,
    layers: c.num_hidden_layers,
    hidden: c.hidden_size,
    heads,
    kvHeads: c.num_key_value_heads ?? heads,
    headDim: c.head_dim ?? c.hidden_size / heads,
    ffn: experts === null ? ffn : 0,
    vocab: c.vocab_size,
    ropeTheta: c.rope_theta,
    rmsEps: c.rms_norm_eps,
    // Qwen2's projections, and so Dream's, have biases that the configuration does not mention.
    qkvBias: c.attention_bias ?? arch === 'dream',
    qkNorm: experts?.qk_layernorm ?? false,
    tiedHead: c.tie_word_embeddings,
    ...(experts === null
      ? {}
      : {
          moe: {
            experts: experts.num_experts,
            expertsPerToken: experts.num_experts_per_tok,
            expertFfn: experts.expert_intermediate_size,
            renormalise: experts.norm_topk_prob ?? false,
          },
        }),
    shiftLogits: arch !== 'llada-moe',
    attention: arch === 'llama' ? 'causal' : 'bidirectional',
    contextLength: c.max_position_embeddings,
    maskId,
    bosId: c.bos_token_id ?? null,
    eosId: c.eos_token_id,
  };
}

const CLASSES: Readonly<Record<Family, readonly [type: string, architecture: string]>> = {
  dream: ['Dream', 'DreamModel'],
  'llada-moe': ['lladamoe', 'LLaDAMoEModelLM'],
  llama: ['llama', 'LlamaForCausalLM'],
};

/** The `config.json` that `parseLlamaConfig` reads as this model. */
export function llamaToHf(arch: Family, config: ModelConfig): Record<string, unknown> {
  const [type, architecture] = CLASSES[arch];
  const { moe } = config;
  return {
    architectures: [architecture],
    model_type: type,
    hidden_act: 'silu',
    rope_scaling: null,
    hidden_size: config.hidden,
    num_hidden_layers: config.layers,
    head_dim: config.headDim,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    ...(moe === undefined
      ? { intermediate_size: config.ffn }
      : {
          num_experts: moe.experts,
          num_experts_per_tok: moe.expertsPerToken,
          expert_intermediate_size: moe.expertFfn,
          norm_topk_prob: moe.renormalise,
          qk_layernorm: config.qkNorm,
        }),
    vocab_size: config.vocab,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: config.rmsEps,
    rope_theta: config.ropeTheta,
    attention_bias: config.qkvBias,
    tie_word_embeddings: config.tiedHead,
    ...(config.maskId === null ? {} : { mask_token_id: config.maskId }),
    bos_token_id: config.bosId,
    eos_token_id: config.eosId,
  };
}

function check<T>(schema: z.ZodType<T>, json: unknown, label: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataError(`${label}: ${issue?.path.join('.') || 'content'}: ${issue?.message}`);
}
