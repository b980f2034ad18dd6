import type { Family } from './family.js';
import { LLADA } from './llada.js';
import { GGUF_KEYS } from './shared/gguf-keys.js';
import { INERT, is, type KeyTable, only } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

const { intermediate_size: _, ...shared } = TRANSFORMERS_KEYS;

const keys: KeyTable = {
  ...shared,
  // Of dense layers, which these models do not have.
  intermediate_size: INERT,
  num_experts: is('experts'),
  num_experts_per_tok: is('expertsPerToken'),
  expert_intermediate_size: is('expertFfn'),
  norm_topk_prob: is('renormalise'),
  qk_layernorm: is('qkNorm'),
  shared_expert_intermediate_size: {
    ...only([], 'shared experts are not supported'),
    write: () => undefined,
  },
};

/** LLaDA-MoE (inclusionAI/LLaDA-MoE-7B-A1B): OLMoE's layers, router probabilities not renormalised. */
export const LLADA_MOE: Family<'llada-moe'> = {
  name: 'llada-moe',
  published: 'llada-moe-7b-a1b',
  attention: 'bidirectional',
  shiftLogits: false,
  qkvBias: false,
  routed: true,
  gguf: { rotaryPairs: 'halves', keys: GGUF_KEYS },
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
