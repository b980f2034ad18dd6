import { UsageError } from '../../errors.js';
import type { Family } from './family.js';
import { ROUTED_GGUF_KEYS } from './shared/gguf-keys.js';
import { INERT, is, only, onlyAll, unwritten } from './shared/keys.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

/** llama.cpp's graph of Qwen3's experts always does it, whatever a key says. */
const ALWAYS = 'llama.cpp renormalises the router probabilities of this family (norm_topk_prob)';

/** RND1 (radicalnumerics/RND1-Base-0910): Qwen3-30B-A3B that sees both ways. */
export const RND1: Family<'rnd1'> = {
  name: 'rnd1',
  published: 'rnd1-base-30b-a3b',
  attention: 'bidirectional',
  policy: 'rnd1',
  shiftLogits: false,
  optional: ['qkvBias', 'qkNorm'],
  routed: true,
  renormalises: true,
  gguf: {
    rotaryPairs: 'halves',
    ropeFactors: false,
    keys: {
      ...ROUTED_GGUF_KEYS,
      expert_weights_norm: {
        ...only([true], ALWAYS),
        type: 'bool',
        write: ({ renormalise }) => {
          if (!renormalise) throw new UsageError(`a GGUF file of rnd1: ${ALWAYS}`);
          return undefined;
        },
      },
    },
  },
  folder: {
    modelType: 'rnd1',
    modelClass: 'RND1',
    recognises: ({ model_type: type }) => type === 'rnd1',
    keys: {
      ...TRANSFORMERS_KEYS,
      // Of dense layers, which these models do not have.
      intermediate_size: INERT,
      mlp_bias: unwritten(only([false], 'biases of the feed-forward are not supported')),
      num_experts: is('experts'),
      num_experts_per_tok: is('expertsPerToken'),
      moe_intermediate_size: is('expertFfn'),
      norm_topk_prob: is('renormalise'),
      decoder_sparse_step: unwritten(only([1], 'dense layers among routed ones are not supported')),
      mlp_only_layers: unwritten(onlyAll(null, 'dense layers among routed ones are not supported')),
      output_router_logits: INERT,
      router_aux_loss_coef: INERT,
      moe_backend: INERT,
      num_diffusion_steps: INERT,
    },
    // True in what its authors wrote for SGLang, false in what they wrote for transformers.
    required: ['renormalise'],
    tensors: LLAMA_TENSORS,
  },
  text: {
    // A base model: the form in which its authors' demonstration asks (demo_rnd_generation.py, mode task).
    chat: (text) => `Question: ${text}\nAnswer:`,
    pre: 'qwen2',
    masks: ['<|mask|>'],
  },
};
