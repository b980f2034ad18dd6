import { INERT, is, type KeyRule, type KeyTable, nested, only, onlyAll, refuse, unwritten } from './keys.js';

/** Keys of `PretrainedConfig`, and of tools that write into it, which have no part in the logits. */
export const INERT_KEYS: KeyTable = Object.fromEntries(
  `architectures model_type transformers_version torch_dtype dtype auto_map _name_or_path name_or_path tokenizer_class
  _attn_implementation attn_implementation _attn_implementation_autoset use_cache initializer_range pad_token_id
  sep_token_id unk_token_id attention_dropout hidden_dropout embedding_dropout residual_dropout resid_pdrop
  pretraining_tp return_dict output_attentions output_hidden_states output_scores return_dict_in_generate torchscript
  use_bfloat16 tf_legacy_loss id2label label2id num_labels problem_type finetuning_task task_specific_params prefix
  is_decoder chunk_size_feed_forward gradient_checkpointing
  max_length min_length max_new_tokens do_sample early_stopping num_beams num_beam_groups diversity_penalty temperature
  top_k top_p typical_p repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size
  bad_words_ids num_return_sequences forced_bos_token_id forced_eos_token_id remove_invalid_values
  exponential_decay_length_penalty suppress_tokens begin_suppress_tokens decoder_start_token_id
  unsloth_version unsloth_fixed neftune_noise_alpha transformers.js_config attn_pdrop attention_probs_dropout_prob
  base_model_tp_plan base_model_pp_plan`
    .split(/\s+/)
    .map((key) => [key, INERT]),
);

/** Keys of other architectures that some tools write whatever the model, with the values that change nothing. */
export const HARMLESS_KEYS: KeyTable = {
  is_encoder_decoder: unwritten(only([false], 'an encoder beside the decoder is not supported')),
  add_cross_attention: unwritten(only([false], 'cross-attention is not supported')),
  tie_encoder_decoder: unwritten(only([false], 'an encoder beside the decoder is not supported')),
  pruned_heads: {
    read: (value, place) =>
      Object.keys(value as object).length === 0 ? {} : refuse(value, place, 'pruned heads are not supported'),
    write: () => undefined,
  },
  quantization_config: {
    read: (value, place) => {
      const { quant_method: method } = value as { quant_method?: unknown };
      return refuse(
        method ?? 'of unknown method',
        place,
        'weights quantised by this method are not read; take the unquantised checkpoint or a GGUF file',
      );
    },
    write: () => undefined,
  },
  quantization: unwritten(
    only([], 'weights that MLX quantised are not read; take the unquantised checkpoint'),
  ),
  compression_config: unwritten(only([], 'compressed weights are not read; take the unquantised checkpoint')),
};

const SCALING_KEYS: KeyTable = {
  type: unwritten(is('scaleType')),
  rope_type: is('scaleType'),
  factor: is('scaleFactor'),
  low_freq_factor: is('scaleLow'),
  high_freq_factor: is('scaleHigh'),
  original_max_position_embeddings: is('scaleContext'),
  beta_fast: is('scaleBetaFast'),
  beta_slow: is('scaleBetaSlow'),
  attention_factor: is('scaleAttention'),
  mscale: unwritten(is('scaleMscale')),
  mscale_all_dim: unwritten(is('scaleMscaleAll')),
  llama_4_scaling_beta: unwritten(is('queryScale')),
  truncate: unwritten(only([true], 'a YaRN ramp between channels is not supported')),
};

/** Rotary positions: `rope_parameters` of transformers 5, the other keys of earlier versions. */
export const ROPE_KEYS: KeyTable = {
  rope_theta: is('ropeTheta'),
  partial_rotary_factor: is('ropeShare'),
  rope_scaling: nested(SCALING_KEYS),
  rope_parameters: unwritten(
    nested({ ...SCALING_KEYS, rope_theta: is('ropeTheta'), partial_rotary_factor: is('ropeShare') }),
  ),
  rope_interleaved: unwritten(only([false], 'interleaved rotary pairs are not supported')),
  use_mrope: unwritten(only([false], 'rotary positions of several dimensions are not supported')),
};

/** One id, or a list of several. */
export const END_TOKENS: KeyRule = {
  ...is('endIds'),
  write: ({ endIds = [] }) => (endIds.length === 1 ? endIds[0] : endIds),
};

/** Keys of `config.json` that the classes of the transformers library share. */
export const TRANSFORMERS_KEYS: KeyTable = {
  ...INERT_KEYS,
  ...HARMLESS_KEYS,
  // Two names of one function.
  hidden_act: only(['silu', 'swish'], 'only SiLU is supported'),
  hidden_size: is('hidden'),
  num_hidden_layers: is('layers'),
  head_dim: is('headDim'),
  num_attention_heads: is('heads'),
  num_key_value_heads: is('kvHeads'),
  intermediate_size: is('ffn'),
  vocab_size: is('vocab'),
  max_position_embeddings: is('contextLength'),
  rms_norm_eps: is('rmsEps'),
  ...ROPE_KEYS,
  attention_bias: is('qkvBias'),
  mlp_bias: is('ffnBias'),
  qk_layernorm: { ...is('qkNorm'), write: ({ qkNorm }) => qkNorm || undefined },
  use_qk_norm: unwritten(is('qkNorm')),
  clip_qkv: unwritten(only([], 'clipped Q, K and V are not supported')),
  is_causal: unwritten(only([false], 'these models attend in both directions')),
  use_sliding_window: unwritten(only([false], 'sliding-window attention is not supported')),
  sliding_window: {
    // Qwen2's configurations name a window that they switch off.
    read: (value, place) =>
      value === false || place.entries.use_sliding_window === false
        ? {}
        : refuse(value, place, 'sliding-window attention is not supported'),
    write: () => undefined,
  },
  // Of layers with a sliding window, which are refused.
  max_window_layers: INERT,
  layer_types: onlyAll('full_attention', 'layers that attend differently are not supported'),
  tie_word_embeddings: is('tiedHead'),
  mask_token_id: is('maskId'),
  bos_token_id: is('bosId'),
  eos_token_id: END_TOKENS,
};
