import { UsageError } from '../../errors.js';
import { Random } from '../random.js';
import { quantile } from './samples.js';

/** Enough that the 2.5 % tail holds 25 resamples. */
const RESAMPLES = 1000;

/** Ends of a 95 % interval of each of several statistics; null where no resample had a finite value. */
export interface BootstrapInterval {
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/**
 * 95 % percentile-bootstrap intervals of statistics of the same cases: cases are drawn with replacement, all statistics see
 * the same draw, so that a ratio of two settings is paired. Deterministic for a seed. One case gives intervals of width zero.
 * @param cases how many there are
 * @param statistics of a draw, as indices of cases; always as many, in the same order
 * @throws UsageError for no cases
 */
export function bootstrap(
  cases: number,
  statistics: (drawn: readonly number[]) => readonly number[],
  seed: number,
): BootstrapInterval {
  if (!Number.isInteger(cases) || cases < 1)
    throw new UsageError(`an interval over cases needs at least one case, got ${cases}`);
  const random = new Random(seed);
  const resamples = Array.from({ length: cases === 1 ? 1 : RESAMPLES }, () =>
    statistics(Array.from({ length: cases }, () => random.integer(0, cases - 1))),
  );
  const columns = resamples[0].map((_, at) =>
    resamples.map((values) => values[at]).filter((value) => Number.isFinite(value)),
  );
  const end = (probability: number): (number | null)[] =>
    columns.map((values) => (values.length === 0 ? null : quantile(values, probability)));
  return { low: end(0.025), high: end(0.975) };
}

/** The cases of a draw. */
export function drawn<T>(all: readonly T[], indices: readonly number[]): T[] {
  return indices.map((index) => all[index]);
}
