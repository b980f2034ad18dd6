import type { Family } from './family.js';
import { checkFact } from './shared/facts.js';
import { GGUF_KEYS } from './shared/gguf-keys.js';
import { is, type KeyRule, onlyAll, refuse } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

const causal: KeyRule = {
  fact: 'attention',
  read: (value, place) => {
    if (typeof value !== 'boolean') return refuse(value, place, 'must be true or false');
    return { attention: value ? 'causal' : 'bidirectional' };
  },
  write: ({ attention }) => attention === 'causal',
};

/** Llama (meta-llama/Meta-Llama-3-8B) and what took its names over: the autoregressive baseline. */
export const LLAMA: Family<'llama'> = {
  name: 'llama',
  published: 'llama-3-8b',
  attention: 'causal',
  policy: 'autoregressive',
  shiftLogits: true,
  optional: ['qkvBias', 'outputBias', 'ffnBias', 'qkNorm'],
  routed: false,
  gguf: {
    rotaryPairs: 'interleaved',
    ropeFactors: true,
    keys: { ...GGUF_KEYS, 'attention.causal': { ...causal, type: 'bool' } },
  },
  folder: {
    modelType: 'llama',
    modelClass: 'LlamaForCausalLM',
    recognises: ({ model_type: type }) => type === 'llama',
    keys: {
      ...TRANSFORMERS_KEYS,
      // Models that changed Llama's code keep its type.
      architectures: onlyAll(
        'LlamaForCausalLM',
        'its own code may compute something else; write LlamaForCausalLM there if it does not',
      ),
      is_causal: { ...causal, write: ({ attention }) => (attention === 'causal' ? undefined : false) },
      attention_bias: {
        ...is('qkvBias'),
        // One key for the projections before and after attention; files may have the former alone.
        read: (value, { label, key }) => {
          const stated = checkFact('qkvBias', value, `${label}: ${key}`);
          return stated.qkvBias ? stated : { ...stated, outputBias: false };
        },
      },
    },
    tensors: LLAMA_TENSORS,
  },
  text: {
    chat: (text) =>
      `<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n${text.trim()}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n`,
    pre: 'llama-bpe',
    masks: [],
  },
};
