import type { Family } from './family.js';
import { INERT, is, type KeyTable, only } from './shared/keys.js';
import { END_TOKENS, HARMLESS_KEYS, INERT_KEYS } from './shared/transformers-keys.js';

const inert = (keys: string): KeyTable => Object.fromEntries(keys.split(' ').map((key) => [key, INERT]));

const LAYER = 'albert.encoder.albert_layer_groups.0.albert_layers.0';

/** ALBERT (arXiv:1909.11942): a masked language model whose layers share their weights. */
export const ALBERT: Family<'albert'> = {
  name: 'albert',
  published: 'rxnmapper',
  attention: 'bidirectional',
  policy: 'llada.cpp',
  shiftLogits: false,
  optional: [],
  routed: false,
  encoder: true,
  gguf: null,
  folder: {
    modelType: 'albert',
    modelClass: 'AlbertForMaskedLM',
    recognises: ({ model_type: type }) => type === 'albert',
    keys: {
      ...INERT_KEYS,
      ...HARMLESS_KEYS,
      // Dropouts, and keys of the first version that its code never read.
      ...inert('attention_probs_dropout_prob hidden_dropout_prob classifier_dropout_prob output_past'),
      ...inert('down_scale_factor gap_size net_structure_type num_memory_blocks'),
      hidden_act: is('gelu'),
      hidden_size: is('hidden'),
      embedding_size: is('embeddingWidth'),
      num_hidden_layers: is('layers'),
      num_hidden_groups: only([1], 'only layers that all share their weights are supported'),
      inner_group_num: only([1], 'only layers that all share their weights are supported'),
      num_attention_heads: is('heads'),
      intermediate_size: is('ffn'),
      vocab_size: is('vocab'),
      type_vocab_size: is('tokenTypes'),
      max_position_embeddings: is('contextLength'),
      position_embedding_type: only(['absolute'], 'only absolute positions are supported'),
      layer_norm_eps: is('rmsEps'),
      tie_word_embeddings: only([true], 'only a head tied to the embedding is supported'),
      mask_token_id: is('maskId'),
      bos_token_id: is('bosId'),
      eos_token_id: END_TOKENS,
    },
    tensors: {
      outer: {
        token_embd: 'albert.embeddings.word_embeddings',
        position_embd: 'albert.embeddings.position_embeddings',
        token_types: 'albert.embeddings.token_type_embeddings',
        token_embd_norm: 'albert.embeddings.LayerNorm',
        embd_to_hidden: 'albert.encoder.embedding_hidden_mapping_in',
        'blk.0.attn_q': `${LAYER}.attention.query`,
        'blk.0.attn_k': `${LAYER}.attention.key`,
        'blk.0.attn_v': `${LAYER}.attention.value`,
        'blk.0.attn_output': `${LAYER}.attention.dense`,
        'blk.0.attn_output_norm': `${LAYER}.attention.LayerNorm`,
        'blk.0.ffn_up': `${LAYER}.ffn`,
        'blk.0.ffn_down': `${LAYER}.ffn_output`,
        'blk.0.layer_output_norm': `${LAYER}.full_layer_layer_norm`,
        hidden_to_embd: 'predictions.dense',
        head_norm: 'predictions.LayerNorm',
        output_bias: 'predictions',
        output: 'predictions.decoder',
      },
      layer: {},
      // Of tasks on whole sequences.
      unused: ['albert.embeddings.position_ids', 'albert.pooler.weight', 'albert.pooler.bias'],
    },
  },
  text: {
    chat: (text) => `[CLS]${text}[SEP]`,
    pre: 'gpt-2',
    masks: ['[MASK]'],
  },
};
