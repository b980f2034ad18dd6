import type { Family } from './family.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

/**
 * WeDLM (tencent/WeDLM-8B-Instruct, arXiv:2512.22737): Qwen2.5 or Qwen3 with causal attention that was trained to fill in masks;
 * a mask's row is about its own position, a token's row about the next.
 */
export const WEDLM: Family<'wedlm'> = {
  name: 'wedlm',
  published: 'wedlm-8b',
  attention: 'causal',
  policy: 'wedlm',
  shiftLogits: false,
  optional: ['qkvBias', 'qkNorm'],
  routed: false,
  gguf: null,
  folder: {
    modelType: 'wedlm',
    modelClass: 'WeDLMForCausalLM',
    recognises: ({ model_type: type }) => typeof type === 'string' && type.toLowerCase() === 'wedlm',
    keys: TRANSFORMERS_KEYS,
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
    pre: 'qwen2',
    masks: ['<|MASK|>', '<|mask|>'],
  },
};
