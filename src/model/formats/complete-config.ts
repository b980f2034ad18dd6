import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import type { Family, OptionalWeights } from '../families/family.js';
import type { Architecture } from '../families/index.js';
import type { FactName, Facts } from '../families/shared/facts.js';
import type { Origin } from '../families/shared/keys.js';
import type { EncoderShape, GroupRouting, MoeConfig, OrderIds } from '../model-shape.js';
import { ropeScalingOf } from './rope-scaling.js';

/** llama.cpp's and transformers' value where a file has none. */
const DEFAULT_THETA = 10_000;

/**
 * The model that a file's facts describe; what they leave out is the family's.
 * @throws DataError naming the key that is missing or contradicts another
 */
export function completeConfig(
  family: Family<Architecture>,
  facts: Facts,
  name: string,
  origin: Origin,
): ModelConfig {
  const { label, keyOf } = origin;
  const required = (
    fact: 'layers' | 'hidden' | 'heads' | 'vocab' | 'contextLength' | 'rmsEps' | 'blockLength',
  ) => {
    const value = facts[fact];
    if (value === undefined) throw new DataError(`${label}: ${keyOf(fact)} is missing`);
    return value;
  };
  const hidden = required('hidden');
  const heads = required('heads');
  const vocab = required('vocab');
  const contextLength = required('contextLength');
  // Beyond the original context queries get longer there, which no engine here does.
  const reached = facts.queryScale
    ? Math.min(contextLength, facts.scaleContext ?? contextLength)
    : contextLength;
  if (facts.headDim === undefined && hidden % heads !== 0) {
    throw new DataError(
      `${label}: ${keyOf('hidden')} ${hidden} is not a multiple of ${keyOf('heads')} ${heads}`,
    );
  }
  const headDim = facts.headDim ?? hidden / heads;
  if (facts.valueDim !== undefined && facts.valueDim !== headDim) {
    throw new DataError(
      `${label}: ${keyOf('valueDim')} ${facts.valueDim}: only ${headDim}, the length of a head, is supported`,
    );
  }
  const inVocabulary = (fact: FactName, id: number | undefined) => {
    if (id !== undefined && id >= vocab)
      throw new DataError(`${label}: ${keyOf(fact)} ${id} is outside the vocabulary of ${vocab}`);
  };
  const oneByOne = ['eosId', 'eotId', 'eomId'] as const;
  for (const fact of ['maskId', 'bosId', 'deleteId', 'splitId', ...oneByOne] as const)
    inVocabulary(fact, facts[fact]);
  for (const id of facts.endIds ?? []) inVocabulary('endIds', id);
  const named = facts.endIds ?? oneByOne.flatMap((fact) => facts[fact] ?? []);
  const endIds = [...new Set(named)];
  const attention = facts.attention ?? family.attention;
  const moe = family.routed ? expertsOf(family, facts, origin) : undefined;
  const dense = moe === undefined || moe.denseLayers !== undefined;
  if (dense && !facts.ffn) throw new DataError(`${label}: ${keyOf('ffn')} is missing`);
  const encoder = family.encoder ? encoderOf(facts, origin) : undefined;
  // Every product of an encoder has its bias, and its head is the embedding.
  const all = encoder !== undefined;
  return {
    name,
    arch: family.name,
    layers: required('layers'),
    hidden,
    heads,
    kvHeads: facts.kvHeads ?? heads,
    headDim,
    ffn: dense ? (facts.ffn ?? 0) : 0,
    vocab,
    ropeTheta: facts.ropeTheta ?? DEFAULT_THETA,
    ropeDims: ropeDimsOf(facts, headDim, origin),
    ropeScaling: ropeScalingOf(facts, contextLength, origin),
    rmsEps: required('rmsEps'),
    qkvBias: facts.qkvBias ?? all,
    outputBias: facts.outputBias || all || undefined,
    ffnBias: facts.ffnBias || all || undefined,
    qkNorm: facts.qkNorm ?? false,
    tiedHead: facts.tiedHead ?? all,
    moe,
    encoder,
    shiftLogits: facts.shiftLogits ?? family.shiftLogits,
    attention,
    alsoCausal: family.alsoCausal,
    orders: ordersOf(facts, origin),
    blockLength:
      attention === 'block-causal'
        ? (facts.blockLength ?? family.blockLength ?? required('blockLength'))
        : undefined,
    contextLength: reached,
    maskId: facts.maskId ?? null,
    bosId: facts.bosId ?? null,
    endIds,
  };
}

/** Both of them or none, and neither of them the mask. */
function ordersOf({ deleteId, splitId, maskId }: Facts, { label, keyOf }: Origin): OrderIds | undefined {
  if (deleteId === undefined && splitId === undefined) return undefined;
  if (deleteId === undefined || splitId === undefined)
    throw new DataError(`${label}: ${keyOf(deleteId === undefined ? 'deleteId' : 'splitId')} is missing`);
  if (new Set([deleteId, splitId, maskId]).size < 3)
    throw new DataError(
      `${label}: ${keyOf('deleteId')}, ${keyOf('splitId')} and ${keyOf('maskId')} must differ`,
    );
  return { deleteId, splitId };
}

/** The tensor whose presence says that a model has optional weights. */
const OPTIONAL: Readonly<Record<OptionalWeights, string>> = {
  qkvBias: 'blk.0.attn_q.bias',
  outputBias: 'blk.0.attn_output.bias',
  ffnBias: 'blk.0.ffn_down.bias',
  qkNorm: 'blk.0.attn_q_norm.weight',
};

/**
 * What the tensors of a file say about its model.
 * @throws DataError where a key says otherwise
 */
export function optionalWeights(
  { optional }: Family,
  stated: Facts,
  has: (id: string) => boolean,
  { label, keyOf }: Origin,
): Facts {
  const facts = Object.fromEntries(optional.map((name) => [name, has(OPTIONAL[name])]));
  for (const name of optional) {
    if (stated[name] === undefined || stated[name] === facts[name]) continue;
    const found = facts[name] ? 'is in the file' : 'is missing';
    throw new DataError(`${label}: ${keyOf(name)} is ${stated[name]}, but ${OPTIONAL[name]} ${found}`);
  }
  return facts;
}

/** Undefined where a whole head rotates. */
function ropeDimsOf(facts: Facts, headDim: number, { label, keyOf }: Origin): number | undefined {
  const fact = facts.ropeDims === undefined ? 'ropeShare' : 'ropeDims';
  const dims = facts.ropeDims ?? Math.trunc((facts.ropeShare ?? 1) * headDim);
  if (dims === headDim) return undefined;
  if (dims > headDim || dims % 2 !== 0 || dims === 0)
    throw new DataError(
      `${label}: ${keyOf(fact)} ${facts[fact]}: cannot rotate ${dims} of ${headDim} channels`,
    );
  return dims;
}

function encoderOf(facts: Facts, { label, keyOf }: Origin): EncoderShape {
  const { embeddingWidth, tokenTypes, gelu } = facts;
  const missing = (['embeddingWidth', 'tokenTypes', 'gelu'] as const).find(
    (fact) => facts[fact] === undefined,
  );
  if (embeddingWidth === undefined || tokenTypes === undefined || gelu === undefined)
    throw new DataError(`${label}: ${keyOf(missing ?? 'gelu')} is missing`);
  return { embeddingWidth, tokenTypes, gelu };
}

function expertsOf(family: Family, facts: Facts, { label, keyOf }: Origin): MoeConfig {
  const { experts, expertsPerToken: used, sharedExperts, denseLayers } = facts;
  if (experts === undefined) throw new DataError(`${label}: ${keyOf('experts')} is missing`);
  if (used === undefined || used > experts)
    throw new DataError(`${label}: ${keyOf('expertsPerToken')} ${used ?? 'missing'} of ${experts} experts`);
  // llama.cpp's default.
  const expertFfn = facts.expertFfn ?? Math.floor((facts.ffn ?? 0) / used);
  if (expertFfn === 0) throw new DataError(`${label}: ${keyOf('expertFfn')} is missing`);
  const sharedFfn = facts.sharedFfn ?? (sharedExperts ? sharedExperts * expertFfn : undefined);
  return {
    experts,
    expertsPerToken: used,
    expertFfn,
    renormalise: facts.renormalise ?? family.renormalises ?? false,
    grouped: groupsOf(facts, experts, used, { label, keyOf }),
    sharedFfn,
    denseLayers: denseLayers || undefined,
  };
}

function groupsOf(
  { groups, groupsPerToken, expertScale = 1 }: Facts,
  experts: number,
  used: number,
  { label, keyOf }: Origin,
): GroupRouting | undefined {
  if (groups === undefined) return undefined;
  if (experts % groups !== 0 || experts / groups < 2)
    throw new DataError(
      `${label}: ${keyOf('groups')} ${groups}: ${experts} experts do not divide into such groups`,
    );
  if (groupsPerToken === undefined || groupsPerToken > groups || groupsPerToken * (experts / groups) < used)
    throw new DataError(
      `${label}: ${keyOf('groupsPerToken')} ${groupsPerToken ?? 'missing'}: ${used} experts of ${groups} groups`,
    );
  return { groups, groupsPerToken, expertScale };
}
