import type { Quant } from '../../../src/model/precision.js';
import { MODEL_CASES } from '../../lab/deciders/name.js';

/** What an ablation run depends on. It is hashed into the result. */
export interface AblationOptions {
  /** Model that makes the decisions. */
  readonly model: string;
  /** Model whose shapes are timed. */
  readonly costModel: string;
  readonly quant: Quant;
  readonly profile: string;
  /** Problems `firstIndex` .. `firstIndex + prompts - 1` of the held-out long set of `seed`. */
  readonly seed: number;
  readonly firstIndex: number;
  readonly prompts: number;
  readonly genLength: number;
  readonly blockLength: number;
  /** Prompts whose every scored row is recomputed without cache or window. */
  readonly verifyPrompts: number;
  /** Of a verified prompt, check every n-th step. */
  readonly verifyEvery: number;
}

export const ABLATION_DEFAULTS: AblationOptions = {
  model: 'tiny-llada',
  costModel: 'llada-8b',
  quant: 'q4_0',
  profile: 'sm8750',
  seed: 1,
  firstIndex: 0,
  prompts: MODEL_CASES,
  genLength: 128,
  blockLength: 32,
  verifyPrompts: 1,
  verifyEvery: 4,
};
