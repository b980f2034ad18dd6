import { erf } from '../../src/util/erf.js';
import { FLOOR } from '../lab/deciders/synthetic/engine.js';
import type { ProcessParameters } from '../lab/deciders/synthetic/process.js';
import type { RowSurroundings } from './rows.js';

/** Logit of a confidence before the process sharpens it: the inverse of `confidenceOf`. */
export function logitOf({ knee, sharpness }: ProcessParameters, confidence: number): number {
  const share = (confidence - FLOOR) / (1 - FLOOR);
  const sharp = Math.log(share / (1 - share));
  return sharp > knee ? knee + (sharp - knee) / sharpness : sharp;
}

/** Mean of the logit of a row that is not easy. */
function middle(p: ProcessParameters, { gap, density }: Pick<RowSurroundings, 'gap' | 'density'>): number {
  return p.bias - p.gapWeight * Math.log1p(gap) + p.densityWeight * (density - 0.5);
}

/** Share of rows that the process has at `threshold` or above, given what is around them. */
export function shareAbove(
  p: ProcessParameters,
  rows: readonly RowSurroundings[],
  threshold: number,
): number {
  const z = logitOf(p, threshold);
  const scale = Math.max(p.spread, 1e-6);
  const above = (mean: number): number => (1 + erf((mean - z) / (scale * Math.SQRT2))) / 2;
  const sum = rows.reduce((total, row) => {
    const at = middle(p, row);
    return total + p.easyShare * above(at + p.easyBonus) + (1 - p.easyShare) * above(at);
  }, 0);
  return sum / rows.length;
}
