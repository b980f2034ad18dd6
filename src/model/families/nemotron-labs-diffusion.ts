import type { Family } from './family.js';
import { INERT, is, only, unwritten } from './shared/keys.js';
import type { TensorNames } from './shared/tensor-names.js';
import { LLAMA_TENSORS } from './shared/tensor-names.js';
import { TRANSFORMERS_KEYS } from './shared/transformers-keys.js';

const layer = Object.fromEntries(
  Object.entries(LLAMA_TENSORS.layer).map(([weight, name]) => [weight, name.replace(/^model\./, 'encoder.')]),
) as TensorNames['layer'];

/** PEFT's names for what it adds to a module. */
const adapter: TensorNames['layer'] = {
  attn_output_lora_a: 'base_model.model.encoder.layers.#.self_attn.o_proj.lora_A',
  attn_output_lora_b: 'base_model.model.encoder.layers.#.self_attn.o_proj.lora_B',
};

/**
 * Nemotron-Labs-Diffusion (nvidia/Nemotron-Labs-Diffusion-8B, arXiv:2607.05722): Ministral 3 that was trained left to right and in
 * blocks, with one set of weights. Passes that draft have an adapter on the projection after attention (folder
 * `linear_spec_lora`, rank 128, scale 4 in the published model), where the folder is there.
 */
export const NEMOTRON_LABS_DIFFUSION: Family<'nemotron-labs-diffusion'> = {
  name: 'nemotron-labs-diffusion',
  published: 'nemotron-labs-diffusion-8b',
  attention: 'block-causal',
  alsoCausal: true,
  policy: 'nemotron-self-speculation',
  shiftLogits: false,
  optional: [],
  routed: false,
  gguf: null,
  folder: {
    modelType: 'nemotron_labs_diffusion',
    modelClass: 'NemotronLabsDiffusionModel',
    recognises: ({ model_type: type }) => type === 'nemotron_labs_diffusion',
    keys: {
      ...TRANSFORMERS_KEYS,
      attention_bias: only([false], 'biases are not supported in this family'),
      mlp_bias: unwritten(only([false], 'biases are not supported in this family')),
      qk_layernorm: unwritten(only([false], 'norms of Q and K are not supported in this family')),
      use_qk_norm: unwritten(only([false], 'norms of Q and K are not supported in this family')),
      block_size: is('blockLength'),
      dlm_paradigm: only(['bidirectional'], 'only blocks that see both ways are supported'),
      ...Object.fromEntries(
        `default_generation_mode default_diffusion_sampler default_diffusion_steps default_diffusion_threshold
        default_diffusion_min_threshold default_diffusion_sampling_scaling_factor dlm_loss_weight ar_loss_weight
        dp_varying_mask_ratio`
          .split(/\s+/)
          .map((key) => [key, INERT]),
      ),
    },
    tensors: {
      outer: { token_embd: 'encoder.embed_tokens', output_norm: 'encoder.norm', output: 'diffusion_head' },
      layer: { ...layer, ...adapter },
      unused: ['encoder.layers.#.self_attn.rotary_emb.inv_freq', 'encoder.rotary_emb.inv_freq'],
    },
    adapter: { folder: 'linear_spec_lora', target: 'o_proj' },
  },
  text: {
    chat: (text) => `<s>[INST]${text}[/INST]`,
    pre: 'tekken',
    masks: ['<MASK>'],
  },
};
