import { UsageError } from '../../errors.js';
import { wilson, Z_95 } from './proportion.js';

/** Two methods on the same problems: how many only one of them got right. Where both agree, nothing is learned. */
export interface Discordant {
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/** @throws UsageError when the two are not of the same problems */
export function discordant(first: readonly boolean[], second: readonly boolean[]): Discordant {
  if (first.length !== second.length)
    throw new UsageError(`${first.length} outcomes cannot be paired with ${second.length}`);
  const only = (own: readonly boolean[], other: readonly boolean[]) =>
    own.filter((right, i) => right && !other[i]).length;
  return { onlyFirst: only(first, second), onlySecond: only(second, first) };
}

/** A difference of shares, with its 95 % interval. */
export interface Difference {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Share right in `own` minus share right in `base`, over the same problems, with the interval of R. G. Newcombe
 * (Statistics in Medicine 17, 1998, 2635-2650, method 10): the Wilson intervals of both shares, put together with the
 * correlation of the two. It never leaves [-1, 1], and has a width where no pair is discordant.
 * @param z half width in standard errors: 95 % unless said otherwise, wider where several are compared
 * @throws UsageError when there are no problems, or not the same
 */
export function pairedDifference(own: readonly boolean[], base: readonly boolean[], z = Z_95): Difference {
  const n = own.length;
  if (n === 0) throw new UsageError('a difference needs at least one problem');
  const { onlyFirst, onlySecond } = discordant(own, base);
  const both = own.filter((right, i) => right && base[i]).length;
  const first = arms(both + onlyFirst, n, z);
  const second = arms(both + onlySecond, n, z);
  const phi = correlation(both, onlyFirst, onlySecond, n);
  const arm = (a: number, b: number): number => Math.sqrt(Math.max(0, a * a - 2 * phi * a * b + b * b));
  const value = (onlyFirst - onlySecond) / n;
  return {
    value,
    // Inside by its construction; rounding must not put it outside.
    low: Math.max(-1, value - arm(first.below, second.above)),
    high: Math.min(1, value + arm(second.below, first.above)),
  };
}

/** How far a Wilson interval reaches below and above its share. */
function arms(right: number, n: number, z: number): { readonly below: number; readonly above: number } {
  const { low, high } = wilson(right, n, z);
  return { below: right / n - low, above: high - right / n };
}

/** Newcombe's phi: the correlation of two yes/no outcomes, a positive one with half a pair taken off; 0 where one never varies. */
function correlation(both: number, onlyFirst: number, onlySecond: number, n: number): number {
  const neither = n - both - onlyFirst - onlySecond;
  const margins = (both + onlyFirst) * (onlySecond + neither) * (both + onlySecond) * (onlyFirst + neither);
  if (margins === 0) return 0;
  const excess = both * neither - onlyFirst * onlySecond;
  return (excess > 0 ? Math.max(0, excess - n / 2) : excess) / Math.sqrt(margins);
}

/**
 * Exact two-sided McNemar test on paired yes/no outcomes (Q. McNemar, Psychometrika 12, 1947; exact form: the
 * discordant pairs are binomial with p = 1/2). Pairs on which both agree carry no information.
 *
 * @param onlyFirst pairs that only the first method got right
 * @param onlySecond pairs that only the second got right
 * @returns p-value in (0, 1]; 1 without discordant pairs
 */
export function mcnemar(onlyFirst: number, onlySecond: number): number {
  for (const count of [onlyFirst, onlySecond]) {
    if (!Number.isInteger(count) || count < 0)
      throw new UsageError(`pair counts must be whole, got ${count}`);
  }
  const n = onlyFirst + onlySecond;
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= Math.min(onlyFirst, onlySecond); k++) {
    logTerm += Math.log(n - k + 1) - Math.log(k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/**
 * Holm's step-down correction (S. Holm, 1979) for several tests against one baseline; order as given.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length);
  let running = 0;
  order.forEach(({ p, index }, rank) => {
    running = Math.max(running, Math.min(1, p * (pValues.length - rank)));
    adjusted[index] = running;
  });
  return adjusted;
}
