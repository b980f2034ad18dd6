import type { Family } from './family.js';
import { INERT, is } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

/**
 * Fast-dLLM v2 (Efficient-Large-Model/Fast_dLLM_v2_7B): Qwen2.5 that sees its block, logits still shifted by one, so that
 * the first token of a block is said by the pass that sealed the one before.
 */
export const FAST_DLLM_V2: Family<'fast-dllm-v2'> = {
  name: 'fast-dllm-v2',
  published: 'fast-dllm-v2-7b',
  attention: 'block-causal',
  policy: 'fast-dllm-v2',
  shiftLogits: true,
  optional: ['qkvBias', 'qkNorm'],
  routed: false,
  gguf: null,
  folder: {
    modelType: 'Fast_dLLM_Qwen',
    modelClass: 'Fast_dLLM_QwenForCausalLM',
    recognises: ({ model_type: type, architectures }) =>
      type === 'Fast_dLLM_Qwen' ||
      (Array.isArray(architectures) &&
        architectures.some((name) => /^Fast_dLLM_(V2_)?QwenForCausalLM$/.test(String(name)))),
    keys: {
      ...TRANSFORMERS_KEYS,
      // Qwen2's projections have biases whatever the configuration says.
      attention_bias: INERT,
      bd_size: is('blockLength'),
    },
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) =>
      `<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
    pre: 'qwen2',
    masks: ['|<MASK>|'],
  },
};
