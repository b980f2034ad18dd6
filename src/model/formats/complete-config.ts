import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import type { Family } from '../families/family.js';
import type { Architecture } from '../families/index.js';
import type { FactName, Facts } from '../families/shared/facts.js';
import type { MoeConfig } from '../model-shape.js';

/** Where facts were read, for messages. */
export interface Origin {
  readonly label: string;
  /** The file's key for a fact. */
  readonly keyOf: (fact: FactName) => string;
}

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
  { label, keyOf }: Origin,
): ModelConfig {
  const required = (fact: 'layers' | 'hidden' | 'heads' | 'vocab' | 'contextLength' | 'rmsEps' | 'eosId') => {
    const value = facts[fact];
    if (value === undefined) throw new DataError(`${label}: ${keyOf(fact)} is missing`);
    return value;
  };
  const hidden = required('hidden');
  const heads = required('heads');
  const vocab = required('vocab');
  if (facts.headDim === undefined && hidden % heads !== 0) {
    throw new DataError(
      `${label}: ${keyOf('hidden')} ${hidden} is not a multiple of ${keyOf('heads')} ${heads}`,
    );
  }
  const headDim = facts.headDim ?? hidden / heads;
  for (const fact of ['ropeDims', 'valueDim'] as const) {
    const value = facts[fact];
    if (value !== undefined && value !== headDim) {
      throw new DataError(
        `${label}: ${keyOf(fact)} ${value}: only ${headDim}, the length of a head, is supported`,
      );
    }
  }
  for (const fact of ['maskId', 'eosId', 'bosId'] as const) {
    const id = facts[fact];
    if (id !== undefined && id >= vocab)
      throw new DataError(`${label}: ${keyOf(fact)} ${id} is outside the vocabulary of ${vocab}`);
  }
  const moe = facts.experts === undefined && !family.routed ? undefined : expertsOf(facts, label, keyOf);
  if (moe === undefined && !facts.ffn) throw new DataError(`${label}: ${keyOf('ffn')} is missing`);
  return {
    name,
    arch: family.name,
    layers: required('layers'),
    hidden,
    heads,
    kvHeads: facts.kvHeads ?? heads,
    headDim,
    ffn: moe === undefined ? (facts.ffn ?? 0) : 0,
    vocab,
    ropeTheta: facts.ropeTheta ?? DEFAULT_THETA,
    rmsEps: required('rmsEps'),
    qkvBias: facts.qkvBias ?? family.qkvBias,
    qkNorm: facts.qkNorm ?? false,
    tiedHead: facts.tiedHead ?? false,
    moe,
    shiftLogits: facts.shiftLogits ?? family.shiftLogits,
    attention: facts.attention ?? family.attention,
    contextLength: required('contextLength'),
    maskId: facts.maskId ?? null,
    bosId: facts.bosId ?? null,
    eosId: required('eosId'),
  };
}

function expertsOf(facts: Facts, label: string, keyOf: Origin['keyOf']): MoeConfig {
  const { experts, expertsPerToken: used } = facts;
  if (experts === undefined) throw new DataError(`${label}: ${keyOf('experts')} is missing`);
  if (used === undefined || used > experts)
    throw new DataError(`${label}: ${keyOf('expertsPerToken')} ${used ?? 'missing'} of ${experts} experts`);
  // llama.cpp's default.
  const expertFfn = facts.expertFfn ?? Math.floor((facts.ffn ?? 0) / used);
  if (expertFfn === 0) throw new DataError(`${label}: ${keyOf('expertFfn')} is missing`);
  return { experts, expertsPerToken: used, expertFfn, renormalise: facts.renormalise ?? false };
}
