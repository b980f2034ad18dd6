import type { Family } from './family.js';
import { GGUF_KEYS } from './shared/gguf-keys.js';
import { INERT } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

/** Dream (Dream-org/Dream-v0-7B, DiffuCoder): Qwen2.5 without its causal mask, logits still shifted by one. */
export const DREAM: Family<'dream'> = {
  name: 'dream',
  published: 'dream-7b',
  attention: 'bidirectional',
  policy: 'llada.cpp',
  shiftLogits: true,
  optional: ['qkvBias', 'qkNorm'],
  routed: false,
  gguf: { rotaryPairs: 'halves', ropeFactors: false, keys: GGUF_KEYS },
  folder: {
    modelType: 'Dream',
    modelClass: 'DreamModel',
    recognises: ({ model_type: type }) => typeof type === 'string' && type.toLowerCase() === 'dream',
    // Qwen2's projections have biases whatever the configuration says.
    keys: { ...TRANSFORMERS_KEYS, attention_bias: INERT },
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) =>
      `<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n${text}<|im_end|>\n<|im_start|>assistant\n`,
    pre: 'qwen2',
    masks: ['<|mask|>'],
  },
};
