import type { FactName, Facts } from './facts.js';
import { INERT, is, type KeyRule, type KeyTable, only } from './keys.js';

/** A key of a GGUF file also has a type. */
export interface GgufKeyRule extends KeyRule {
  readonly type: 'u32' | 'f32' | 'bool' | 'string';
}

export type GgufKeyTable = KeyTable<GgufKeyRule>;

const u32 = (fact: FactName, written?: (facts: Facts) => unknown): GgufKeyRule => {
  const rule = is(fact);
  return { ...rule, type: 'u32', write: written ?? rule.write };
};
const f32 = (fact: 'ropeTheta' | 'rmsEps'): GgufKeyRule => ({
  ...is(fact),
  type: 'f32',
  read: (value, label, key) => is(fact).read(typeof value === 'number' ? decimal(value) : value, label, key),
});
const refuse = (harmless: readonly unknown[], why: string): GgufKeyRule => ({
  ...only(harmless, why),
  type: 'u32',
  write: () => undefined,
});

/** Written only where it does not follow from the width of the residual. */
const ownHeadDim = ({ heads = 0, headDim = 0, hidden }: Facts) =>
  heads * headDim === hidden ? undefined : headDim;

const scaled = 'scaled rotary positions are not supported';

/** Keys of every family behind the prefix of its architecture (names of llama.cpp's src/llama-arch.cpp). */
export const GGUF_KEYS: GgufKeyTable = {
  context_length: u32('contextLength'),
  embedding_length: u32('hidden'),
  block_count: u32('layers'),
  // llama.cpp's loaders want a dense width even where every layer is routed.
  feed_forward_length: u32('ffn', ({ expertFfn, ffn }) => expertFfn ?? ffn),
  'attention.head_count': u32('heads'),
  'attention.head_count_kv': u32('kvHeads'),
  'attention.key_length': u32('headDim', ownHeadDim),
  'attention.value_length': u32('valueDim', ownHeadDim),
  expert_count: u32('experts'),
  expert_used_count: u32('expertsPerToken'),
  expert_feed_forward_length: u32('expertFfn'),
  'attention.layer_norm_rms_epsilon': f32('rmsEps'),
  'attention.causal': { ...INERT, type: 'bool', write: ({ attention }) => attention === 'causal' },
  'rope.freq_base': f32('ropeTheta'),
  'rope.dimension_count': u32('ropeDims'),
  // The embedding has the last word.
  vocab_size: { ...INERT, type: 'u32', write: ({ vocab }) => vocab },
  'rope.scaling.type': refuse(['none', ''], scaled),
  'rope.scale_linear': refuse([0, 1], scaled),
  'attention.sliding_window': refuse([0], 'sliding-window attention is not supported'),
  expert_shared_count: refuse([0], 'shared experts are not supported'),
  leading_dense_block_count: refuse([0], 'dense layers among routed ones are not supported'),
};

/** Keys without prefix that say something about a model. */
export const GGUF_GLOBAL_KEYS: GgufKeyTable = {
  'diffusion.shift_logits': { ...is('shiftLogits'), type: 'bool' },
  'tokenizer.ggml.mask_token_id': u32('maskId'),
  'tokenizer.ggml.bos_token_id': u32('bosId'),
  'tokenizer.ggml.eos_token_id': u32('eosId'),
  'tokenizer.ggml.padding_token_id': { ...INERT, type: 'u32', write: ({ eosId }) => eosId },
  // Prompts carry their start token themselves.
  'tokenizer.ggml.add_bos_token': { ...INERT, type: 'bool', write: () => false },
};

/** The decimal number somebody wrote before it was stored as f32: 1e-5, not 0.000009999999747378752. */
function decimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
