import type { LayerWeight } from '../../weight-ids.js';

/** What a folder calls the tensors of a model; `#` stands for the number of a layer, `@` for that of an expert. */
export interface TensorNames {
  /** Canonical ids without `.weight`, of tensors outside the layers and of layers that all share theirs. */
  readonly outer: Readonly<Record<string, string>>;
  /** Several weights of one name are stored as one tensor, their rows one after the other: Q, K and V. */
  readonly layer: Readonly<Partial<Record<LayerWeight, string>>>;
  /** Biases whose names have no `.bias` at their end. */
  readonly bare?: readonly LayerWeight[];
  /** Tensors that models store and do not compute with. */
  readonly unused: readonly string[];
}

/** Names of Llama, and of the many that took them over (Qwen2 and so Dream; OLMoE and so LLaDA-MoE). */
export const LLAMA_TENSORS: TensorNames = {
  outer: { token_embd: 'model.embed_tokens', output_norm: 'model.norm', output: 'lm_head' },
  layer: {
    attn_norm: 'model.layers.#.input_layernorm',
    attn_q: 'model.layers.#.self_attn.q_proj',
    attn_k: 'model.layers.#.self_attn.k_proj',
    attn_v: 'model.layers.#.self_attn.v_proj',
    attn_output: 'model.layers.#.self_attn.o_proj',
    attn_q_norm: 'model.layers.#.self_attn.q_norm',
    attn_k_norm: 'model.layers.#.self_attn.k_norm',
    ffn_norm: 'model.layers.#.post_attention_layernorm',
    ffn_gate: 'model.layers.#.mlp.gate_proj',
    ffn_up: 'model.layers.#.mlp.up_proj',
    ffn_down: 'model.layers.#.mlp.down_proj',
    ffn_gate_inp: 'model.layers.#.mlp.gate',
    ffn_gate_exps: 'model.layers.#.mlp.experts.@.gate_proj',
    ffn_up_exps: 'model.layers.#.mlp.experts.@.up_proj',
    ffn_down_exps: 'model.layers.#.mlp.experts.@.down_proj',
  },
  // Computed anew from the base of the rotation.
  unused: ['model.layers.#.self_attn.rotary_emb.inv_freq', 'model.rotary_emb.inv_freq'],
};
