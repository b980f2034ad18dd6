import { z } from 'zod';
import { DataError } from '../../../errors.js';
import type { ModelShape } from '../../model-shape.js';
import { yarnAttentionFactor } from '../../rope.js';

const size = z.number().int().positive().max(1_000_000_000);
const tokenId = z.number().int().nonnegative();
const positive = z.number().positive();

/** What one key of a model file can state, with the values it may have: the only place that bounds them. */
const FACTS = {
  layers: size.max(10_000),
  hidden: size,
  heads: size,
  kvHeads: size,
  headDim: size,
  /** Width of a head's values; every engine has it equal to `headDim`. */
  valueDim: size,
  /** 0 where every layer is routed. */
  ffn: z.number().int().nonnegative().max(1_000_000_000),
  /** Of an encoder. */
  embeddingWidth: size,
  tokenTypes: size,
  gelu: z.enum(['gelu', 'gelu_new'], 'only GELU is supported here'),
  experts: size,
  expertsPerToken: size,
  expertFfn: size,
  renormalise: z.boolean(),
  /** Experts in groups, and what the weights of the chosen are multiplied by. */
  groups: size,
  groupsPerToken: size,
  expertScale: positive,
  /** Experts that every row passes, and the inner width of all of them together. */
  sharedExperts: z.number().int().nonnegative(),
  sharedFfn: size,
  denseLayers: z.number().int().nonnegative(),
  /** Llama 4's factor on queries beyond the original context. */
  queryScale: z.number().nonnegative(),
  vocab: size,
  contextLength: size,
  rmsEps: positive,
  qkvBias: z.boolean(),
  outputBias: z.boolean(),
  ffnBias: z.boolean(),
  qkNorm: z.boolean(),
  tiedHead: z.boolean(),
  shiftLogits: z.boolean(),
  attention: z.enum(['bidirectional', 'causal', 'block-causal']),
  blockLength: size,
  maskId: tokenId,
  bosId: tokenId,
  /** Tokens that are orders to their block. */
  deleteId: tokenId,
  splitId: tokenId,
  /** End tokens: one, or a list with the end of text first. */
  endIds: z.union(
    [tokenId.transform((id) => [id]), z.array(tokenId)],
    'expected the id of a token, or a list of ids',
  ),
  /** The same one by one: end of text, of turn, of message. */
  eosId: tokenId,
  eotId: tokenId,
  eomId: tokenId,
  ropeTheta: positive,
  /** Channels of a head that rotate, or their share. */
  ropeDims: size,
  ropeShare: positive.max(1),
  scaleType: z.enum(
    ['none', 'default', 'linear', 'llama3', 'yarn'],
    'scaled rotary positions of this kind are not supported',
  ),
  scaleFactor: positive,
  scaleContext: size,
  /** llama3: rotations over the original context. */
  scaleLow: positive,
  scaleHigh: positive,
  /** YaRN: rotations over the original context, and what cosines and sines are multiplied by. */
  scaleBetaFast: positive,
  scaleBetaSlow: positive,
  scaleAttention: positive,
  /** The same on top of YaRN's own value. */
  scaleAttentionOnTop: positive,
  /** Weights of its logarithm, of which the quotient counts. */
  scaleMscale: z.number().nonnegative(),
  scaleMscaleAll: z.number().nonnegative(),
} as const;

export type FactName = keyof typeof FACTS;

/** What a file says about a model. */
export type Facts = { readonly [Name in FactName]?: Readonly<z.output<(typeof FACTS)[Name]>> };

/** @param at file and key, for the message. @throws DataError for a value that cannot be */
export function checkFact(name: FactName, value: unknown, at: string): Facts {
  const parsed = FACTS[name].safeParse(value);
  if (parsed.success) return { [name]: parsed.data };
  throw new DataError(`${at} ${shown(value)}: ${parsed.error.issues[0]?.message}`);
}

/** A value as messages show it, cut where it is long. */
export function shown(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** Everything about a shape that a key of a file can state. */
export function factsOf(shape: ModelShape): Facts {
  const { moe, encoder, orders, maskId, bosId, endIds, headDim, ropeDims = headDim } = shape;
  const [eosId, eotId, eomId] = endIds;
  return {
    ...shape,
    ...moe,
    ...moe?.grouped,
    ...orders,
    sharedExperts: sharedExperts(moe),
    ...encoder,
    valueDim: headDim,
    ropeDims,
    ropeShare: ropeDims === headDim ? undefined : ropeDims / headDim,
    maskId: maskId ?? undefined,
    bosId: bosId ?? undefined,
    eosId,
    eotId,
    eomId,
    ...scalingFacts(shape),
  };
}

/** Files count shared experts in widths of a routed one. */
function sharedExperts(moe: ModelShape['moe']): number | undefined {
  if (moe?.sharedFfn === undefined) return undefined;
  const count = moe.sharedFfn / moe.expertFfn;
  return Number.isInteger(count) ? count : undefined;
}

function scalingFacts({ ropeScaling: scaling }: ModelShape): Facts {
  switch (scaling?.kind) {
    case undefined:
    case 'factors':
      return {};
    case 'linear':
      return { scaleType: 'linear', scaleFactor: scaling.factor };
    case 'llama3':
      return {
        scaleType: 'llama3',
        scaleFactor: scaling.factor,
        scaleLow: scaling.lowFrequencyFactor,
        scaleHigh: scaling.highFrequencyFactor,
        scaleContext: scaling.originalContext,
      };
    case 'yarn': {
      const own = yarnAttentionFactor(scaling.factor);
      const isOwn = scaling.attentionFactor === own;
      return {
        scaleType: 'yarn',
        scaleFactor: scaling.factor,
        scaleContext: scaling.originalContext,
        scaleBetaFast: scaling.betaFast,
        scaleBetaSlow: scaling.betaSlow,
        scaleAttention: isOwn ? undefined : scaling.attentionFactor,
        scaleAttentionOnTop: isOwn ? undefined : scaling.attentionFactor / own,
      };
    }
  }
}
