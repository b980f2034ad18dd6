import { UsageError } from '../errors.js';

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
