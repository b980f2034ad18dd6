import type { Family } from './family.js';
import { LLADA } from './llada.js';
import { ROUTED_GGUF_KEYS } from './shared/gguf-keys.js';
import { INERT, is, type KeyTable, only, onlyAll, unwritten } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

const dense = 'dense layers among routed ones are not supported';
const shared = 'shared experts are not supported';
const grouped = 'experts in groups are not supported';
const scaled = 'scaled expert weights are not supported';
const softmax = 'only softmax routing is supported';
const none = (harmless: readonly unknown[], why: string) => unwritten(only(harmless, why));

const keys: KeyTable = {
  ...TRANSFORMERS_KEYS,
  // Of dense layers, which these models do not have.
  intermediate_size: INERT,
  dense_intermediate_size: INERT,
  mlp_bias: none([false], 'biases of the feed-forward are not supported'),
  num_experts: is('experts'),
  num_experts_per_tok: is('expertsPerToken'),
  expert_intermediate_size: is('expertFfn'),
  norm_topk_prob: is('renormalise'),
  qk_layernorm: is('qkNorm'),
  output_router_logits: INERT,
  router_aux_loss_coef: INERT,
  router_z_loss_coef: INERT,
  first_k_dense_replace: none([0], dense),
  moe_layer_freq: onlyAll(1, dense),
  shared_expert_intermediate_size: none([0], shared),
  num_shared_experts: none([0], shared),
  n_shared_experts: none([0], shared),
  moe_router_enable_expert_bias: none([false], 'a bias that chooses experts is not supported'),
  moe_router_score_function: none(['softmax'], softmax),
  score_function: none(['softmax'], softmax),
  scoring_func: none(['softmax'], softmax),
  moe_router_topk_scaling_factor: none([1], scaled),
  routed_scaling_factor: none([1], scaled),
  router_num_group: none([1], grouped),
  router_topk_group: none([1], grouped),
  n_group: none([1], grouped),
  topk_group: none([1], grouped),
};

/** LLaDA-MoE (inclusionAI/LLaDA-MoE-7B-A1B): OLMoE's layers, router probabilities not renormalised. */
export const LLADA_MOE: Family<'llada-moe'> = {
  name: 'llada-moe',
  published: 'llada-moe-7b-a1b',
  attention: 'bidirectional',
  policy: 'llada.cpp',
  shiftLogits: false,
  optional: ['qkvBias', 'outputBias', 'qkNorm'],
  routed: true,
  gguf: { rotaryPairs: 'halves', ropeFactors: false, keys: ROUTED_GGUF_KEYS },
  folder: {
    modelType: 'lladamoe',
    modelClass: 'LLaDAMoEModelLM',
    recognises: ({ model_type: type, num_experts: experts }) =>
      type === 'lladamoe' ||
      type === 'llada_moe' ||
      // Early checkpoints.
      (type === LLADA.folder.modelType && experts !== undefined),
    keys,
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) => `<role>HUMAN</role>${text}<|role_end|><role>ASSISTANT</role>`,
    pre: 'bailingmoe',
    masks: ['<|mask|>'],
  },
};
