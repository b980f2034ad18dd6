import { DataError } from '../../errors.js';
import type { FactName, Facts } from '../families/shared/facts.js';
import type { Origin } from '../families/shared/keys.js';
import { type RopeScaling, yarnAttentionFactor } from '../rope.js';

/** transformers' and llama.cpp's defaults. */
const BETA_FAST = 32;
const BETA_SLOW = 1;

/**
 * The rotary scaling that a file's facts describe.
 * @throws DataError naming the key that is missing or has no meaning beside the others
 */
export function ropeScalingOf(
  facts: Facts,
  contextLength: number,
  { label, keyOf }: Origin,
): RopeScaling | undefined {
  const required = (fact: 'scaleFactor' | 'scaleLow' | 'scaleHigh' | 'scaleContext') => {
    const value = facts[fact];
    if (value === undefined) throw new DataError(`${label}: ${keyOf(fact)} is missing`);
    return value;
  };
  const meaningless = (...names: readonly FactName[]) => {
    const given = names.find((name) => facts[name] !== undefined && facts[name] !== 1);
    if (given !== undefined)
      throw new DataError(
        `${label}: ${keyOf(given)} ${facts[given]}: without YaRN it is not known what it means`,
      );
  };
  switch (facts.scaleType) {
    case undefined:
      meaningless('scaleFactor', 'scaleAttention', 'scaleAttentionOnTop');
      return undefined;
    case 'none':
    case 'default':
      meaningless('scaleAttention', 'scaleAttentionOnTop');
      return undefined;
    case 'linear': {
      meaningless('scaleAttention', 'scaleAttentionOnTop');
      const factor = required('scaleFactor');
      return factor === 1 ? undefined : { kind: 'linear', factor };
    }
    case 'llama3':
      meaningless('scaleAttention', 'scaleAttentionOnTop');
      return {
        kind: 'llama3',
        factor: required('scaleFactor'),
        lowFrequencyFactor: required('scaleLow'),
        highFrequencyFactor: required('scaleHigh'),
        originalContext: required('scaleContext'),
      };
    case 'yarn': {
      const originalContext = facts.scaleContext ?? contextLength;
      const factor = facts.scaleFactor ?? contextLength / originalContext;
      return {
        kind: 'yarn',
        factor,
        originalContext,
        betaFast: facts.scaleBetaFast ?? BETA_FAST,
        betaSlow: facts.scaleBetaSlow ?? BETA_SLOW,
        attentionFactor: attentionFactorOf(facts, factor),
      };
    }
  }
}

function attentionFactorOf(facts: Facts, factor: number): number {
  if (facts.scaleAttention !== undefined) return facts.scaleAttention;
  const { scaleMscale: weight, scaleMscaleAll: all, scaleAttentionOnTop: onTop } = facts;
  const weighted = (by: number) => (factor <= 1 ? 1 : 0.1 * by * Math.log(factor) + 1);
  if (weight && all) return weighted(weight) / weighted(all);
  const own = yarnAttentionFactor(factor);
  // Stored as a quotient in f32: the number it was made from has fewer digits.
  return onTop === undefined ? own : Number((own * onTop).toPrecision(6));
}
