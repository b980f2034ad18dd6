import { namesThatFit, usualPolicy } from '../../../src/decode/policies.js';
import type { EngineName } from '../../../src/engine/registry.js';
import type { ModelConfig } from '../../../src/model/config.js';

/** What a quality table depends on. It is written into the result. */
export interface QualityOptions {
  readonly model: string;
  readonly engine: EngineName;
  /** Questions of a file in place of the problems, and what judges the answers. */
  readonly data?: string;
  readonly scorer?: string;
  /** Around the questions; undefined: as the model is usually asked. */
  readonly template?: string;
  /** How the questions write a mask. */
  readonly maskToken?: string;
  /** Problems `firstIndex` .. `firstIndex + n - 1` of the held-out long set of `seed`. */
  readonly seed: number;
  readonly firstIndex: number;
  readonly n: number;
  readonly genLength: number;
  /** Null: every policy's own. */
  readonly blockLength: number | null;
  /** Policies to compare, the baseline among them. */
  readonly policies: readonly string[];
  /** Policy that the others are paired with. */
  readonly baseline: string;
  /** Hardware profile that every decode is timed on, by llada.cpp with SOMR; undefined: nothing is timed. */
  readonly machine?: string;
}

export const QUALITY_DEFAULTS = {
  model: 'tiny-llada',
  engine: 'tfjs',
  seed: 1,
  firstIndex: 0,
  n: 100,
  genLength: 128,
  baseline: 'block-kv',
} as const;

/** What is compared with what where nobody says: every policy that decodes the model, with the baseline of most or its usual one. */
export function comparedOn(model: ModelConfig): Pick<QualityOptions, 'policies' | 'baseline'> {
  const policies = namesThatFit(model);
  const { baseline } = QUALITY_DEFAULTS;
  return { policies, baseline: policies.includes(baseline) ? baseline : usualPolicy(model).name };
}
