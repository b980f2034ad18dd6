import type { Family } from './family.js';
import { LLADA2_GGUF_KEYS } from './shared/gguf-keys.js';
import { INERT, is, only, unwritten } from './shared/keys.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

const fused = 'model.layers.#.attention.query_key_value';

/**
 * LLaDA2.0, 2.1 and 2.2 (inclusionAI/LLaDA2.1-mini): Ling 2's layers in blocks of 32. A first dense layer, then 256 experts
 * beside a shared one, chosen by biased sigmoid scores inside the best groups; half of a head rotates.
 */
export const LLADA2: Family<'llada2'> = {
  name: 'llada2',
  published: 'llada2-mini',
  attention: 'block-causal',
  blockLength: 32,
  policy: 'block-causal',
  shiftLogits: false,
  optional: ['qkNorm'],
  routed: true,
  renormalises: true,
  gguf: { rotaryPairs: 'halves', ropeFactors: false, fusedQkv: true, keys: LLADA2_GGUF_KEYS },
  folder: {
    modelType: 'llada2_moe',
    modelClass: 'LLaDA2MoeModelLM',
    recognises: ({ model_type: type }) => type === 'llada2_moe',
    keys: {
      ...TRANSFORMERS_KEYS,
      attention_bias: unwritten(only([false], 'biases are not supported in this family')),
      mlp_bias: unwritten(only([false], 'biases are not supported in this family')),
      use_bias: unwritten(only([false], 'biases are not supported in this family')),
      use_qkv_bias: unwritten(only([false], 'biases are not supported in this family')),
      qk_layernorm: unwritten(is('qkNorm')),
      use_qk_norm: is('qkNorm'),
      block_size: is('blockLength'),
      block_length: unwritten(is('blockLength')),
      rotary_dim: unwritten(is('ropeDims')),
      num_experts: is('experts'),
      num_experts_per_tok: is('expertsPerToken'),
      moe_intermediate_size: is('expertFfn'),
      num_shared_experts: is('sharedExperts'),
      moe_shared_expert_intermediate_size: unwritten(is('sharedFfn')),
      first_k_dense_replace: is('denseLayers'),
      n_group: is('groups'),
      topk_group: is('groupsPerToken'),
      routed_scaling_factor: is('expertScale'),
      norm_topk_prob: is('renormalise'),
      score_function: only(['sigmoid'], 'only sigmoid routing is supported in this family'),
      scoring_func: unwritten(only(['sigmoid'], 'only sigmoid routing is supported in this family')),
      moe_router_enable_expert_bias: only([true], 'experts are chosen by biased scores in this family'),
      router_dtype: INERT,
      output_router_logits: INERT,
      embedding_dropout: INERT,
      output_dropout: INERT,
      num_nextn_predict_layers: unwritten(only([0], 'heads for further tokens are not supported')),
      mtp_loss_scaling_factor: INERT,
      use_rmsnorm: unwritten(only([true], 'only RMSNorm is supported')),
    },
    tensors: {
      outer: { token_embd: 'model.word_embeddings', output_norm: 'model.norm', output: 'lm_head' },
      layer: {
        attn_norm: 'model.layers.#.input_layernorm',
        attn_q: fused,
        attn_k: fused,
        attn_v: fused,
        attn_q_norm: 'model.layers.#.attention.query_layernorm',
        attn_k_norm: 'model.layers.#.attention.key_layernorm',
        attn_output: 'model.layers.#.attention.dense',
        ffn_norm: 'model.layers.#.post_attention_layernorm',
        ffn_gate: 'model.layers.#.mlp.gate_proj',
        ffn_up: 'model.layers.#.mlp.up_proj',
        ffn_down: 'model.layers.#.mlp.down_proj',
        ffn_gate_inp: 'model.layers.#.mlp.gate',
        exp_probs_b: 'model.layers.#.mlp.gate.expert_bias',
        ffn_gate_exps: 'model.layers.#.mlp.experts.@.gate_proj',
        ffn_up_exps: 'model.layers.#.mlp.experts.@.up_proj',
        ffn_down_exps: 'model.layers.#.mlp.experts.@.down_proj',
        ffn_gate_shexp: 'model.layers.#.mlp.shared_experts.gate_proj',
        ffn_up_shexp: 'model.layers.#.mlp.shared_experts.up_proj',
        ffn_down_shexp: 'model.layers.#.mlp.shared_experts.down_proj',
      },
      bare: ['exp_probs_b'],
      unused: ['model.layers.#.attention.rotary_emb.inv_freq', 'model.rotary_emb.inv_freq'],
    },
  },
  text: {
    chat: (text) => `<role>HUMAN</role>${text}<|role_end|><role>ASSISTANT</role>`,
    pre: 'bailingmoe',
    masks: ['<|mask|>'],
  },
};
