import type { Family } from './family.js';
import { GGUF_KEYS } from './shared/gguf-keys.js';
import { is, only } from './shared/keys.js';

/** LLaDA (GSAI-ML/LLaDA-8B, LLaDA-1.5): a bidirectional Llama with OLMo's names. */
export const LLADA: Family<'llada'> = {
  name: 'llada',
  published: 'llada-8b',
  attention: 'bidirectional',
  shiftLogits: false,
  qkvBias: false,
  routed: false,
  gguf: { rotaryPairs: 'interleaved', keys: GGUF_KEYS },
  folder: {
    modelType: 'llada',
    modelClass: 'LLaDAModelLM',
    // Early LLaDA-MoE checkpoints call themselves by this type too.
    recognises: ({ model_type: type, num_experts: experts }) => type === 'llada' && experts === undefined,
    keys: {
      d_model: is('hidden'),
      n_layers: is('layers'),
      n_heads: is('heads'),
      n_kv_heads: is('kvHeads'),
      mlp_hidden_size: is('ffn'),
      // The embedding may have more rows than there are tokens: the later key has the last word.
      vocab_size: is('vocab'),
      embedding_size: is('vocab'),
      max_sequence_length: is('contextLength'),
      rope: only([true], 'only rotary positions are supported'),
      rope_theta: is('ropeTheta'),
      layer_norm_type: only(['rms'], 'only RMSNorm is supported'),
      rms_norm_eps: is('rmsEps'),
      activation_type: only(['silu'], 'only SiLU is supported'),
      weight_tying: is('tiedHead'),
      include_bias: only([false], 'biases outside Q, K and V are not supported'),
      include_qkv_bias: is('qkvBias'),
      mask_token_id: is('maskId'),
      bos_token_id: is('bosId'),
      eos_token_id: is('eosId'),
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
