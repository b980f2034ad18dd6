import { UsageError } from '../../errors.js';
import { erf } from '../../util/erf.js';

/** 97.5 % point of the standard normal distribution: two-sided 95 % intervals. */
export const Z_95 = 1.959963984540054;

const LEAST_P = 1e-6;
const HALVINGS = 60;

/**
 * Half width, in standard errors, of each of several two-sided intervals that all hold together in 95 % of cases
 * (Bonferroni).
 * @param comparisons how many are made
 * @throws UsageError for none
 */
export function simultaneousZ(comparisons: number): number {
  if (!Number.isInteger(comparisons) || comparisons < 1)
    throw new UsageError(`intervals need at least one comparison, got ${comparisons}`);
  const tail = Math.max(LEAST_P, 0.025 / comparisons);
  let [low, high] = [0, 6];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if ((1 - erf(middle / Math.SQRT2)) / 2 > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Successes of `n` trials with their 95 % Wilson interval, as fractions. */
export interface Proportion {
  readonly successes: number;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

/**
 * 95 % Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927): honest at 0 of n and n of n, where
 * the normal approximation has no width.
 * @param z half width in standard errors: 95 % unless said otherwise, wider where several are stated together
 */
export function wilson(successes: number, n: number, z = Z_95): Proportion {
  if (!Number.isInteger(n) || n < 1) throw new UsageError(`a proportion needs at least one trial, got ${n}`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new UsageError(`successes must be 0..${n}, got ${successes}`);
  }
  const p = successes / n;
  const z2 = z * z;
  const center = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (z / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return {
    successes,
    n,
    // At the ends the formula equals 0 or 1 exactly; rounding must not put the interval outside.
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === n ? 1 : Math.min(1, center + half),
  };
}
