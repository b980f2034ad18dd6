import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import type { EndColumns } from './compare.js';

/** A statistic of the values of cases: a mean, a median. */
type Statistic = (values: readonly number[]) => number;

/**
 * 95 % intervals over the cases of a statistic of each setting.
 * @param values of each setting, one per case; the same cases in the same order
 */
export function caseIntervals(
  values: readonly (readonly number[])[],
  statistic: Statistic,
  seed: number,
): EndColumns {
  return bootstrap(values[0].length, (cases) => values.map((each) => statistic(drawn(each, cases))), seed);
}

/**
 * 95 % intervals over the cases of a ratio of two settings: both see the same draw of cases.
 * @param pairs of indices into `values`: numerator, denominator
 */
export function caseRatioIntervals(
  values: readonly (readonly number[])[],
  pairs: readonly (readonly [over: number, under: number])[],
  statistic: Statistic,
  seed: number,
): EndColumns {
  return bootstrap(
    values[0].length,
    (cases) => {
      const found = values.map((each) => statistic(drawn(each, cases)));
      return pairs.map(([over, under]) => found[over] / found[under]);
    },
    seed,
  );
}
