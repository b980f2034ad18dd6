import { is, type KeyTable, only } from './keys.js';

/** Keys of `config.json` that the classes of the transformers library share. */
export const TRANSFORMERS_KEYS: KeyTable = {
  hidden_act: only(['silu'], 'only SiLU is supported'),
  rope_scaling: { ...only([], 'scaled rotary positions are not supported'), write: () => null },
  hidden_size: is('hidden'),
  num_hidden_layers: is('layers'),
  head_dim: is('headDim'),
  num_attention_heads: is('heads'),
  num_key_value_heads: is('kvHeads'),
  intermediate_size: is('ffn'),
  vocab_size: is('vocab'),
  max_position_embeddings: is('contextLength'),
  rms_norm_eps: is('rmsEps'),
  rope_theta: is('ropeTheta'),
  attention_bias: is('qkvBias'),
  tie_word_embeddings: is('tiedHead'),
  mask_token_id: is('maskId'),
  bos_token_id: is('bosId'),
  eos_token_id: is('eosId'),
};
