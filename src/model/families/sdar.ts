import type { Family } from './family.js';
import { is } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

/** SDAR (JetLM/SDAR-1.7B-Chat) and TraDo: Qwen3 with attention inside blocks and to those before; no shift. */
export const SDAR: Family<'sdar'> = {
  name: 'sdar',
  published: 'sdar-1.7b',
  attention: 'block-causal',
  policy: 'sdar',
  shiftLogits: false,
  optional: ['qkvBias', 'qkNorm'],
  routed: false,
  gguf: null,
  folder: {
    modelType: 'sdar',
    modelClass: 'SDARForCausalLM',
    recognises: ({ model_type: type }) => type === 'sdar',
    keys: { ...TRANSFORMERS_KEYS, block_size: is('blockLength') },
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) => `<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
    pre: 'qwen2',
    masks: ['<|MASK|>'],
  },
};
