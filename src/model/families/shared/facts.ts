import { z } from 'zod';
import { DataError } from '../../../errors.js';
import type { ModelShape } from '../../model-shape.js';

const size = z.number().int().positive().max(1_000_000_000);
const tokenId = z.number().int().nonnegative();

/** What one key of a model file can state, with the values it may have: the only place that bounds them. */
const FACTS = {
  layers: size.max(10_000),
  hidden: size,
  heads: size,
  kvHeads: size,
  headDim: size,
  /** Width of a head's values; every engine has it equal to `headDim`. */
  valueDim: size,
  /** Channels of a head that rotate. */
  ropeDims: size,
  /** 0 where every layer is routed. */
  ffn: z.number().int().nonnegative().max(1_000_000_000),
  experts: size,
  expertsPerToken: size,
  expertFfn: size,
  renormalise: z.boolean(),
  vocab: size,
  contextLength: size,
  ropeTheta: z.number().positive(),
  rmsEps: z.number().positive(),
  qkvBias: z.boolean(),
  qkNorm: z.boolean(),
  tiedHead: z.boolean(),
  shiftLogits: z.boolean(),
  attention: z.enum(['bidirectional', 'causal', 'block-causal']),
  blockLength: size,
  maskId: tokenId,
  bosId: tokenId,
  /** Some configurations list several end tokens; the first is the end of text. */
  eosId: z.union([
    tokenId,
    z
      .array(tokenId)
      .min(1)
      .transform((ids) => ids[0]!),
  ]),
} as const;

export type FactName = keyof typeof FACTS;

/** What a file says about a model. */
export type Facts = { readonly [Name in FactName]?: z.infer<(typeof FACTS)[Name]> };

/** @param at file and key, for the message. @throws DataError for a value that cannot be */
export function checkFact(name: FactName, value: unknown, at: string): Facts {
  const parsed = FACTS[name].safeParse(value);
  if (parsed.success) return { [name]: parsed.data };
  throw new DataError(`${at}: ${parsed.error.issues[0]?.message}`);
}

/** Everything about a shape that a key of a file can state. */
export function factsOf(shape: ModelShape): Facts {
  const { moe, maskId, bosId } = shape;
  return {
    ...shape,
    ...moe,
    valueDim: shape.headDim,
    ropeDims: shape.headDim,
    maskId: maskId ?? undefined,
    bosId: bosId ?? undefined,
  };
}
