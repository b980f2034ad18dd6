import { z } from 'zod';
import { DataError } from '../../errors.js';
import type { Architecture, ModelConfig } from '../config.js';
import { resolvePreset } from '../presets.js';
import type { WeightDType } from './codec.js';
import type { GgufMetadata, GgufValue, ScalarType } from './gguf-types.js';

const size = z.number().int().positive().max(1_000_000_000);
const tokenId = z.number().int().nonnegative();

/** Metadata without its architecture prefix, as far as it shapes the computation. */
const hyperSchema = z.object({
  context_length: size,
  embedding_length: size,
  block_count: size.max(10_000),
  feed_forward_length: z.number().int().nonnegative(),
  'attention.head_count': size,
  'attention.head_count_kv': size.optional(),
  'attention.key_length': size.optional(),
  'attention.layer_norm_rms_epsilon': z.number().positive(),
  // llama.cpp's default when the key is missing.
  'rope.freq_base': z.number().positive().default(10_000),
  expert_count: size.optional(),
  expert_used_count: size.optional(),
  expert_feed_forward_length: size.optional(),
});

const tokenSchema = z.object({
  mask: tokenId.optional(),
  bos: tokenId.optional(),
  eos: tokenId.optional(),
});

const ARCHITECTURES: readonly Architecture[] = ['llada', 'dream', 'llada-moe', 'llama'];

/** Architectures whose GGUF files hold Q and K rows in interleaved rotary order. */
export function storesInterleavedRope(arch: Architecture): boolean {
  return arch === 'llada' || arch === 'llama';
}

/**
 * The model a GGUF file describes.
 * @param tensors shapes by tensor name: vocabulary size, biases, QK-norm and a tied head show only there
 * @throws DataError naming file, key and reason
 */
export function configFromGguf(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  label: string,
): ModelConfig {
  const named = metadata.get('general.architecture')?.value;
  const arch = ARCHITECTURES.find((known) => known === named);
  if (arch === undefined) {
    throw new DataError(
      `${label}: architecture ${String(named)} is not supported (${ARCHITECTURES.join(', ')})`,
    );
  }
  const hyper = parse(hyperSchema, pick(metadata, `${arch}.`), label, `${arch}.`);
  const tokens = parse(tokenSchema, tokenIds(metadata), label, 'tokenizer.ggml.');
  const embedding = tensors.get('token_embd.weight');
  if (embedding === undefined) throw new DataError(`${label}: tensor token_embd.weight is missing`);
  const heads = hyper['attention.head_count'];
  const experts = hyper.expert_count;
  const shift = metadata.get('diffusion.shift_logits')?.value;
  const name = metadata.get('general.name')?.value;
  return {
    name: typeof name === 'string' ? name : arch,
    arch,
    layers: hyper.block_count,
    hidden: hyper.embedding_length,
    heads,
    kvHeads: hyper['attention.head_count_kv'] ?? heads,
    headDim: hyper['attention.key_length'] ?? wholeHeadDim(hyper.embedding_length, heads, label),
    ffn: experts === undefined ? hyper.feed_forward_length : 0,
    vocab: embedding.shape[0] ?? 0,
    ropeTheta: decimal(hyper['rope.freq_base']),
    rmsEps: decimal(hyper['attention.layer_norm_rms_epsilon']),
    qkvBias: tensors.has('blk.0.attn_q.bias') || tensors.has('blk.0.attn_qkv.bias'),
    qkNorm: tensors.has('blk.0.attn_q_norm.weight'),
    tiedHead: !tensors.has('output.weight'),
    ...(experts === undefined ? {} : { moe: expertsOf(hyper, experts, label) }),
    // llama.cpp's diffusion example assumes shifted logits when the key is missing.
    shiftLogits: typeof shift === 'boolean' ? shift : arch !== 'llada' && arch !== 'llada-moe',
    attention: arch === 'llama' ? 'causal' : 'bidirectional',
    contextLength: hyper.context_length,
    ...specialTokens(arch, tokens, metadata, embedding.shape[0] ?? 0, label),
  };
}

/** What the mask is called in the vocabularies of the families. */
const MASK_TOKENS = ['<|mdm_mask|>', '<|mask|>'];

/**
 * Ids of mask, start and end. Where the file does not name the mask it is found by its text, or, in a vocabulary of
 * the published size, by its published id.
 * @throws DataError for an id outside the vocabulary
 */
function specialTokens(
  arch: Architecture,
  named: z.infer<typeof tokenSchema>,
  metadata: GgufMetadata,
  vocab: number,
  label: string,
): Pick<ModelConfig, 'maskId' | 'bosId' | 'eosId'> {
  for (const [name, id] of Object.entries(named)) {
    if (id !== undefined && id >= vocab)
      throw new DataError(
        `${label}: tokenizer.ggml.${name}_token_id ${id} is outside the vocabulary of ${vocab}`,
      );
  }
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value;
  const byText = Array.isArray(tokens) ? tokens.findIndex((token) => MASK_TOKENS.includes(token)) : -1;
  const published = resolvePreset(PUBLISHED[arch]);
  const known = published.vocab === vocab ? published : null;
  const found = byText < 0 ? (known?.maskId ?? null) : byText;
  return {
    maskId: named.mask ?? (arch === 'llama' ? null : found),
    bosId: named.bos ?? null,
    eosId: named.eos ?? known?.eosId ?? 0,
  };
}

const PUBLISHED: Readonly<Record<Architecture, string>> = {
  llada: 'llada-8b',
  dream: 'dream-7b',
  'llada-moe': 'llada-moe-7b-a1b',
  llama: 'llama-3-8b',
};

function expertsOf(
  hyper: z.infer<typeof hyperSchema>,
  experts: number,
  label: string,
): NonNullable<ModelConfig['moe']> {
  const used = hyper.expert_used_count;
  if (used === undefined || used > experts) {
    throw new DataError(`${label}: expert_used_count ${used ?? 'missing'} of ${experts} experts`);
  }
  const expertFfn = hyper.expert_feed_forward_length ?? Math.floor(hyper.feed_forward_length / used);
  return { experts, expertsPerToken: used, expertFfn, renormalise: false };
}

function wholeHeadDim(hidden: number, heads: number, label: string): number {
  if (hidden % heads !== 0)
    throw new DataError(`${label}: ${hidden} channels do not divide into ${heads} heads`);
  return hidden / heads;
}

/** The decimal number somebody wrote before it was stored as f32: 1e-5, not 0.000009999999747378752. */
function decimal(value: number): number {
  return Number(value.toPrecision(7));
}

function pick(metadata: GgufMetadata, prefix: string): Record<string, unknown> {
  return Object.fromEntries(
    [...metadata]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { value }]) => [key.slice(prefix.length), value]),
  );
}

function tokenIds(metadata: GgufMetadata): Record<string, unknown> {
  const id = (name: string) => metadata.get(`tokenizer.ggml.${name}_token_id`)?.value;
  return { mask: id('mask'), bos: id('bos'), eos: id('eos') };
}

function parse<T>(schema: z.ZodType<T>, value: unknown, label: string, prefix: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new DataError(`${label}: ${prefix}${issue?.path.join('.')}: ${issue?.message}`);
}

/** `general.file_type` of llama.cpp. */
const FILE_TYPES: Readonly<Record<WeightDType, number>> = { f32: 0, f16: 1, q4_0: 2, q8_0: 7, bf16: 32 };

/** Metadata llama.cpp needs to load the model, tokenizer apart. */
export function configToGguf(config: ModelConfig, quant: WeightDType): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  const put = (key: string, type: ScalarType, value: number | string | boolean) =>
    metadata.set(key, { type, value });
  const { arch } = config;
  put('general.architecture', 'string', arch);
  put('general.name', 'string', config.name);
  put('general.file_type', 'u32', FILE_TYPES[quant]);
  put('general.quantization_version', 'u32', 2);
  put(`${arch}.context_length`, 'u32', config.contextLength);
  put(`${arch}.embedding_length`, 'u32', config.hidden);
  put(`${arch}.block_count`, 'u32', config.layers);
  // llama.cpp's loaders want a dense width even where every layer is routed.
  put(`${arch}.feed_forward_length`, 'u32', config.moe?.expertFfn ?? config.ffn);
  put(`${arch}.attention.head_count`, 'u32', config.heads);
  put(`${arch}.attention.head_count_kv`, 'u32', config.kvHeads);
  if (config.headDim * config.heads !== config.hidden) {
    put(`${arch}.attention.key_length`, 'u32', config.headDim);
    put(`${arch}.attention.value_length`, 'u32', config.headDim);
  }
  if (config.moe !== undefined) {
    put(`${arch}.expert_count`, 'u32', config.moe.experts);
    put(`${arch}.expert_used_count`, 'u32', config.moe.expertsPerToken);
    put(`${arch}.expert_feed_forward_length`, 'u32', config.moe.expertFfn);
  }
  put(`${arch}.attention.layer_norm_rms_epsilon`, 'f32', config.rmsEps);
  put(`${arch}.attention.causal`, 'bool', config.attention === 'causal');
  put(`${arch}.rope.freq_base`, 'f32', config.ropeTheta);
  put(`${arch}.rope.dimension_count`, 'u32', config.headDim);
  put(`${arch}.vocab_size`, 'u32', config.vocab);
  put('diffusion.shift_logits', 'bool', config.shiftLogits);
  if (config.maskId !== null) put('tokenizer.ggml.mask_token_id', 'u32', config.maskId);
  if (config.bosId !== null) put('tokenizer.ggml.bos_token_id', 'u32', config.bosId);
  put('tokenizer.ggml.eos_token_id', 'u32', config.eosId);
  put('tokenizer.ggml.padding_token_id', 'u32', config.eosId);
  // Prompts carry their start token themselves.
  put('tokenizer.ggml.add_bos_token', 'bool', false);
  return metadata;
}
