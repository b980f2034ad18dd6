import type { Family } from './family.js';
import { GGUF_KEYS } from './shared/gguf-keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

/** Llama (meta-llama/Meta-Llama-3-8B) and what took its names over: the autoregressive baseline. */
export const LLAMA: Family<'llama'> = {
  name: 'llama',
  published: 'llama-3-8b',
  attention: 'causal',
  shiftLogits: true,
  qkvBias: false,
  routed: false,
  gguf: { rotaryPairs: 'interleaved', keys: GGUF_KEYS },
  folder: {
    modelType: 'llama',
    modelClass: 'LlamaForCausalLM',
    recognises: ({ model_type: type }) => type === 'llama',
    keys: TRANSFORMERS_KEYS,
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) =>
      `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n${text.trim()}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
    pre: 'llama-bpe',
    masks: [],
  },
};
