import type { Family } from './family.js';
import { GGUF_KEYS } from './shared/gguf-keys.js';
import { INERT, is, type KeyTable, only, unwritten } from './shared/keys.js';
import { END_TOKENS, INERT_KEYS, ROPE_KEYS } from './shared/transformers-keys.js';

const inert = (keys: string): KeyTable => Object.fromEntries(keys.split(' ').map((key) => [key, INERT]));
const off = (key: string, what: string): KeyTable => ({
  [key]: unwritten(only([false], `${what}: not supported`)),
});

/** LLaDA (GSAI-ML/LLaDA-8B, LLaDA-1.5): a bidirectional Llama with OLMo's names. */
export const LLADA: Family<'llada'> = {
  name: 'llada',
  published: 'llada-8b',
  attention: 'bidirectional',
  policy: 'llada.cpp',
  shiftLogits: false,
  optional: ['qkvBias', 'qkNorm'],
  routed: false,
  gguf: { rotaryPairs: 'interleaved', ropeFactors: false, keys: GGUF_KEYS },
  folder: {
    modelType: 'llada',
    modelClass: 'LLaDAModelLM',
    // Early LLaDA-MoE checkpoints call themselves by this type too.
    recognises: ({ model_type: type, num_experts: experts }) => type === 'llada' && experts === undefined,
    keys: {
      ...INERT_KEYS,
      ...inert(
        'alibi_bias_max attention_layer_norm_with_affine flash_attention flash_attn_varlen init_cutoff_factor init_device init_fn',
      ),
      ...inert('init_std mlp_ratio precision rope_full_precision'),
      d_model: is('hidden'),
      n_layers: is('layers'),
      n_heads: is('heads'),
      n_kv_heads: is('kvHeads'),
      mlp_hidden_size: is('ffn'),
      vocab_size: is('vocab'),
      // The embedding may have more rows than there are tokens.
      embedding_size: { ...is('vocab'), wins: true },
      max_sequence_length: is('contextLength'),
      rope: only([true], 'only rotary positions are supported'),
      ...ROPE_KEYS,
      layer_norm_type: only(['rms'], 'only RMSNorm is supported'),
      rms_norm_eps: is('rmsEps'),
      activation_type: only(['silu'], 'only SiLU is supported'),
      block_type: only(['llama'], 'only blocks of separate projections are supported'),
      weight_tying: is('tiedHead'),
      include_bias: only([false], 'biases outside Q, K and V are not supported'),
      include_qkv_bias: is('qkvBias'),
      ...off('alibi', 'positions by ALiBi'),
      ...off('attention_layer_norm', 'norms over all heads of Q and K'),
      ...off('bias_for_layer_norm', 'biases of norms'),
      ...off('input_emb_norm', 'a scaled embedding'),
      ...off('multi_query_attention', 'a single KV head by this key (n_kv_heads says it)'),
      ...off('scale_logits', 'scaled logits'),
      block_group_size: unwritten(only([1], 'grouped blocks are not supported')),
      clip_qkv: unwritten(only([], 'clipped Q, K and V are not supported')),
      layer_norm_with_affine: unwritten(only([true], 'norms without gain are not supported')),
      mask_token_id: is('maskId'),
      bos_token_id: is('bosId'),
      eos_token_id: END_TOKENS,
    },
    tensors: {
      outer: {
        token_embd: 'model.transformer.wte',
        output_norm: 'model.transformer.ln_f',
        // Inside a block `ff_out` is the feed-forward's down projection.
        output: 'model.transformer.ff_out',
      },
      layer: {
        attn_norm: 'model.transformer.blocks.#.attn_norm',
        attn_q: 'model.transformer.blocks.#.q_proj',
        attn_k: 'model.transformer.blocks.#.k_proj',
        attn_v: 'model.transformer.blocks.#.v_proj',
        attn_output: 'model.transformer.blocks.#.attn_out',
        ffn_norm: 'model.transformer.blocks.#.ff_norm',
        ffn_gate: 'model.transformer.blocks.#.ff_proj',
        ffn_up: 'model.transformer.blocks.#.up_proj',
        ffn_down: 'model.transformer.blocks.#.ff_out',
      },
      unused: [],
    },
  },
  text: {
    // The authors' template with a correct opening (theirs puts it in the wrong place).
    chat: (text) =>
      `<|startoftext|><|start_header_id|>user<|end_header_id|>\n\n${text.trim()}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
    pre: 'qwen2',
    masks: ['<|mdm_mask|>'],
  },
};
