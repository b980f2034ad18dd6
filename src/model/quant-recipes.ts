import type { ModelConfig } from './config.js';
import type { WeightDType } from './formats/blocks/index.js';
import type { DType, Precision } from './graph.js';
import { precisionFor } from './precision.js';
import { embeddingId, type LayerWeight, layerWeightId } from './weight-ids.js';

/** Where a weight stands, as far as the quantiser looks at it. */
interface Site {
  readonly weight: LayerWeight;
  readonly layer: number;
  readonly layers: number;
  /** Query heads for each K and V head. */
  readonly queriesPerKey: number;
}

interface Recipe {
  readonly is: string;
  /** Of every matrix that no rule names, the embedding included. */
  readonly base: WeightDType;
  readonly head: WeightDType;
  /** Null where the base holds. */
  readonly rule: (site: Site) => WeightDType | null;
}

/** First and last eighth of the layers, and every third between (`use_more_bits`). */
const moreBits = ({ layer, layers }: Site): boolean => {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
};

const firstEighth = ({ layer, layers }: Site): boolean => layer < Math.floor(layers / 8);

const isDown = ({ weight }: Site): boolean => weight === 'ffn_down' || weight === 'ffn_down_exps';

const none = (): null => null;

/** V and the down projection in Q6_K where `moreBits` says so: the K-quants called M. */
const medium = (site: Site): WeightDType | null =>
  (site.weight === 'attn_v' || isDown(site)) && moreBits(site) ? 'q6_k' : null;

/**
 * What `llama-quantize` makes of a model under a name that people know (llama.cpp `src/llama-quant.cpp`,
 * `llama_tensor_get_type_impl`): files are mixtures. Files of bartowski and unsloth are made with an importance matrix.
 */
export const QUANT_RECIPES = {
  'q4_0-quantize': { is: 'llama-quantize Q4_0: head in Q6_K', base: 'q4_0', head: 'q6_k', rule: none },
  'q4_0-imatrix': {
    is: 'Q4_0 with an importance matrix (bartowski, unsloth): head in Q6_K, Q4_1 in the down projections of the first eighth',
    base: 'q4_0',
    head: 'q6_k',
    rule: (site) => (isDown(site) && firstEighth(site) ? 'q4_1' : null),
  },
  'q4_1-quantize': { is: 'llama-quantize Q4_1: head in Q6_K', base: 'q4_1', head: 'q6_k', rule: none },
  q4_k_s: {
    is: 'Q4_K_S: head in Q6_K, Q5_K in V of the first four layers and in the down projections of the first eighth',
    base: 'q4_k',
    head: 'q6_k',
    rule: (site) =>
      (site.weight === 'attn_v' && site.layer < 4) || (isDown(site) && firstEighth(site)) ? 'q5_k' : null,
  },
  q4_k_m: {
    is: 'Q4_K_M: head in Q6_K, and Q6_K in half of V and down',
    base: 'q4_k',
    head: 'q6_k',
    rule: medium,
  },
  q5_k_m: { is: 'Q5_K_M: the same over Q5_K', base: 'q5_k', head: 'q6_k', rule: medium },
  q6_k: { is: 'Q6_K throughout', base: 'q6_k', head: 'q6_k', rule: none },
  iq4_nl: {
    is: 'IQ4_NL with an importance matrix: head in Q6_K, Q5_K in V where four queries share a key',
    base: 'iq4_nl',
    head: 'q6_k',
    rule: ({ weight, queriesPerKey }) => (weight === 'attn_v' && queriesPerKey >= 4 ? 'q5_k' : null),
  },
  iq4_xs: {
    is: 'IQ4_XS with an importance matrix, as IQ4_NL',
    base: 'iq4_xs',
    head: 'q6_k',
    rule: ({ weight, queriesPerKey }) => (weight === 'attn_v' && queriesPerKey >= 4 ? 'q5_k' : null),
  },
} as const satisfies Readonly<Record<string, Recipe>>;

export type QuantRecipe = keyof typeof QUANT_RECIPES;

/** Names of recipes, in order. */
export const QUANT_RECIPE_NAMES = Object.keys(QUANT_RECIPES) as QuantRecipe[];

/** Formats with blocks of 256 give way where rows are no multiple of it (`tensor_type_fallback`). */
const FALLBACK: Readonly<Partial<Record<WeightDType, WeightDType>>> = {
  q4_k: 'q5_0',
  q5_k: 'q5_1',
  q6_k: 'q8_0',
  iq4_xs: 'iq4_nl',
};

const fitting = (dtype: WeightDType, width: number): WeightDType =>
  width % 256 === 0 ? dtype : (FALLBACK[dtype] ?? dtype);

/** Matrices of a layer and what their rows are as long as. */
const MATRICES: Readonly<Partial<Record<LayerWeight, (config: ModelConfig, layer: number) => number>>> = {
  attn_q: ({ hidden }) => hidden,
  attn_k: ({ hidden }) => hidden,
  attn_v: ({ hidden }) => hidden,
  attn_output: ({ heads, headDim }) => heads * headDim,
  ffn_gate: ({ hidden }) => hidden,
  ffn_up: ({ hidden }) => hidden,
  ffn_down: ({ ffn, timed }, layer) => timed?.shapes[layer]?.ffn ?? ffn,
  ffn_gate_exps: ({ hidden }) => hidden,
  ffn_up_exps: ({ hidden }) => hidden,
  ffn_down_exps: ({ moe }) => moe?.expertFfn ?? 256,
};

/**
 * Formats of a model's tensors as a recipe stores them. A tied head is the embedding, which then has the head's format.
 */
export function recipePrecision(name: QuantRecipe, config: ModelConfig): Precision {
  const { base, head: wanted, rule }: Recipe = QUANT_RECIPES[name];
  const { layers, heads, kvHeads, hidden, tiedHead } = config;
  const weights = fitting(base, hidden);
  const head = fitting(wanted, hidden);
  const tensors: Record<string, DType> = {};
  for (let layer = 0; layer < layers; layer++) {
    for (const [weight, width] of Object.entries(MATRICES) as [
      LayerWeight,
      (c: ModelConfig, l: number) => number,
    ][]) {
      const asked = rule({ weight, layer, layers, queriesPerKey: heads / kvHeads }) ?? base;
      const dtype = fitting(asked, width(config, layer));
      if (dtype !== weights) tensors[layerWeightId(layer, weight)] = dtype;
    }
  }
  return precisionFor('q4_0', { weights, embedding: tiedHead ? head : weights, head, tensors });
}

/**
 * Formats of a model whose tensors are known one by one, as a file lists them. Keys and values, and what passes between
 * operators, are FP16.
 * @param formats by canonical id
 * @param head id of the head's matrix
 */
export function precisionOf(formats: ReadonlyMap<string, DType>, head: string): Precision {
  const matrices = [...formats].filter(([id]) => isMatrix(id));
  const counts = new Map<DType, number>();
  for (const [, dtype] of matrices) counts.set(dtype, (counts.get(dtype) ?? 0) + 1);
  const [weights] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['f32' as const];
  const tensors = Object.fromEntries(matrices.filter(([, dtype]) => dtype !== weights));
  const embedding = formats.get(embeddingId()) ?? weights;
  return precisionFor('q4_0', { weights, embedding, head: formats.get(head) ?? embedding, tensors });
}

function isMatrix(id: string): boolean {
  const [, , name, part] = id.split('.');
  return part === 'weight' && Object.keys(MATRICES).includes(name);
}
