import { UsageError } from '../../../errors.js';
import { checkFact, type FactName, type Facts } from './facts.js';
import { INERT, is, type KeyRule, type KeyTable, only } from './keys.js';

/** A key of a GGUF file also has a type. */
export interface GgufKeyRule extends KeyRule {
  readonly type: 'u32' | 'u32s' | 'f32' | 'bool' | 'string';
}

export type GgufKeyTable = KeyTable<GgufKeyRule>;

const typed = (type: GgufKeyRule['type'], rule: KeyRule): GgufKeyRule => ({ ...rule, type });
const u32 = (fact: FactName, write: KeyRule['write'] = (facts) => facts[fact]): GgufKeyRule =>
  typed('u32', { ...is(fact), write });
const f32 = (fact: FactName, write: KeyRule['write'] = (facts) => facts[fact]): GgufKeyRule =>
  typed('f32', {
    fact,
    read: (value, { label, key }) =>
      checkFact(fact, typeof value === 'number' ? decimal(value) : value, `${label}: ${key}`),
    write,
  });
/** The key does not change what is computed with these values, and is never written. */
const harmless = (values: readonly unknown[], why: string): GgufKeyRule =>
  typed('u32', { ...only(values, why), write: () => undefined });
const inert: GgufKeyRule = typed('u32', INERT);

/** Written only where it does not follow from the width of the residual. */
const ownHeadDim = ({ heads = 0, headDim = 0, hidden }: Facts) =>
  heads * headDim === hidden ? undefined : headDim;

const ofYarn = (fact: FactName) => (facts: Facts) => (facts.scaleType === 'yarn' ? facts[fact] : undefined);
const ofLlama3 = (fact: FactName) => (facts: Facts) =>
  facts.scaleType === 'llama3' ? facts[fact] : undefined;
const hasType = ({ scaleType }: Facts) => scaleType === 'linear' || scaleType === 'yarn';

/** llama.cpp's graph of such a model never does it, whatever a key says: a file would give it other logits. */
const RENORMALISED = 'a GGUF file cannot say that router probabilities are renormalised (norm_topk_prob)';

/** 0 stands for none. */
const scaleFactor = (write: KeyRule['write']): GgufKeyRule => {
  const rule = f32('scaleFactor', write);
  return { ...rule, read: (value, place) => rule.read(value === 0 ? 1 : value, place) };
};

/** llama.cpp takes the ends of YaRN's ramp from its own options, whatever these keys say. */
const ramp = (fact: 'scaleBetaFast' | 'scaleBetaSlow', usual: number): GgufKeyRule => {
  const why = `llama.cpp's ramp of YaRN has ${usual} here`;
  return {
    ...harmless([usual], why),
    write: (facts) => {
      if ((facts[fact] ?? usual) !== usual) throw new UsageError(`${fact} ${facts[fact]}: ${why}`);
      return undefined;
    },
  };
};

const sizes: GgufKeyTable = {
  context_length: u32('contextLength'),
  embedding_length: u32('hidden'),
  block_count: u32('layers'),
  // llama.cpp's loaders want a dense width even where every layer is routed.
  feed_forward_length: u32('ffn', ({ expertFfn, ffn }) => expertFfn ?? ffn),
  'attention.head_count': u32('heads'),
  'attention.head_count_kv': u32('kvHeads'),
  'attention.key_length': u32('headDim', ownHeadDim),
  'attention.value_length': u32('valueDim', ownHeadDim),
};

const rest: GgufKeyTable = {
  'attention.layer_norm_rms_epsilon': f32('rmsEps'),
  // llama.cpp does not ask diffusion models either.
  'attention.causal': typed('bool', only([false], 'these models attend in both directions')),
  'rope.freq_base': f32('ropeTheta'),
  'rope.dimension_count': u32('ropeDims'),
  vocab_size: u32('vocab'),
  'rope.scaling.type': typed('string', {
    ...is('scaleType'),
    write: (facts) => (hasType(facts) ? facts.scaleType : undefined),
  }),
  'rope.scaling.factor': scaleFactor((facts) => (hasType(facts) ? facts.scaleFactor : undefined)),
  // An older name of the factor.
  'rope.scale_linear': scaleFactor(() => undefined),
  'rope.scaling.original_context_length': u32('scaleContext', ofYarn('scaleContext')),
  'rope.scaling.attn_factor': f32('scaleAttentionOnTop', ofYarn('scaleAttentionOnTop')),
  'rope.scaling.yarn_beta_fast': ramp('scaleBetaFast', 32),
  'rope.scaling.yarn_beta_slow': ramp('scaleBetaSlow', 1),
  'rope.scaling.finetuned': inert,
  'attention.layer_norm_epsilon': inert,
  'attention.sliding_window': harmless([0], 'sliding-window attention is not supported'),
  expert_shared_count: harmless([0], 'shared experts are not supported'),
  leading_dense_block_count: harmless([0], 'dense layers among routed ones are not supported'),
  tensor_data_layout: inert,
};

const noExperts = harmless([0], 'routed experts are not supported in this family');

/** Keys of every family behind the prefix of its architecture (names of llama.cpp's src/llama-arch.cpp). */
export const GGUF_KEYS: GgufKeyTable = {
  ...sizes,
  ...rest,
  expert_count: noExperts,
  expert_used_count: noExperts,
};

/** The same where every feed-forward is routed. */
export const ROUTED_GGUF_KEYS: GgufKeyTable = {
  ...sizes,
  expert_count: u32('experts'),
  expert_used_count: u32('expertsPerToken'),
  expert_feed_forward_length: u32('expertFfn'),
  ...rest,
  expert_gating_func: harmless([0, 1], 'only softmax routing is supported'),
  expert_weights_scale: harmless([0, 1], 'scaled expert weights are not supported'),
  expert_weights_norm: {
    ...harmless([false], RENORMALISED),
    write: ({ renormalise }) => {
      if (renormalise) throw new UsageError(RENORMALISED);
      return undefined;
    },
  },
};

/** Keys of llama.cpp's LLaDA2 (pull request 17454, which has Ling 2's). */
export const LLADA2_GGUF_KEYS: GgufKeyTable = {
  ...sizes,
  feed_forward_length: u32('ffn'),
  ...rest,
  expert_count: u32('experts'),
  expert_used_count: u32('expertsPerToken'),
  expert_feed_forward_length: u32('expertFfn'),
  expert_shared_feed_forward_length: u32('sharedFfn'),
  expert_shared_count: u32('sharedExperts'),
  expert_group_count: u32('groups'),
  expert_group_used_count: u32('groupsPerToken'),
  expert_weights_scale: f32('expertScale'),
  expert_weights_norm: typed('bool', is('renormalise')),
  // LLAMA_EXPERT_GATING_FUNC_TYPE_SIGMOID.
  expert_gating_func: typed('u32', only([2], 'only sigmoid routing is supported in this family')),
  leading_dense_block_count: u32('denseLayers'),
};

/** Keys without prefix that say something about a model. */
export const GGUF_GLOBAL_KEYS: GgufKeyTable = {
  'diffusion.shift_logits': typed('bool', is('shiftLogits')),
  // No key of llama.cpp says it.
  'dllm-npu.block_length': u32('blockLength'),
  // llama.cpp knows the scaling of Llama 3.1 by the divisors in rope_freqs.weight only: here is what made them.
  'dllm-npu.rope.llama3.type': typed('string', { ...is('scaleType'), write: ofLlama3('scaleType') }),
  'dllm-npu.rope.llama3.factor': f32('scaleFactor', ofLlama3('scaleFactor')),
  'dllm-npu.rope.llama3.low_freq_factor': f32('scaleLow', ofLlama3('scaleLow')),
  'dllm-npu.rope.llama3.high_freq_factor': f32('scaleHigh', ofLlama3('scaleHigh')),
  'dllm-npu.rope.llama3.original_context_length': u32('scaleContext', ofLlama3('scaleContext')),
  'tokenizer.ggml.mask_token_id': u32('maskId'),
  'tokenizer.ggml.bos_token_id': u32('bosId'),
  'tokenizer.ggml.eos_token_id': u32('eosId'),
  'tokenizer.ggml.eot_token_id': u32('eotId'),
  'tokenizer.ggml.eom_token_id': u32('eomId'),
  // More than these three have no keys.
  'dllm-npu.end_token_ids': {
    ...is('endIds'),
    type: 'u32s',
    write: ({ endIds = [] }) => (endIds.length > 3 ? endIds : undefined),
  },
  'tokenizer.ggml.padding_token_id': typed('u32', { ...INERT, write: ({ eosId }) => eosId }),
  // Prompts carry their start token themselves.
  'tokenizer.ggml.add_bos_token': typed('bool', { ...INERT, write: () => false }),
};

/** The decimal number somebody wrote before it was stored as f32: 1e-5, not 0.000009999999747378752. */
function decimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
