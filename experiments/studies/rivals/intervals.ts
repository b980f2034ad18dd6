import { Random } from '../../../src/score/random.js';
import { mean, quantile } from '../../../src/score/statistics/samples.js';

/** Enough that the 2.5 % tail holds 50 resamples. */
const RESAMPLES = 2000;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** 95 % percentile-bootstrap interval of what is computed of a mean over cases, and of two means over the same cases. */
function bootstrap(cases: number, seed: number, of: (drawn: readonly number[]) => number): Interval {
  const random = new Random(seed);
  const all = Array.from({ length: cases }, (_, at) => at);
  const values = Array.from({ length: RESAMPLES }, () => of(all.map(() => random.pick(all))));
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}

/** Interval of a mean over cases. */
export function ofMean(values: readonly number[], seed: number): Interval {
  return bootstrap(values.length, seed, (drawn) => mean(drawn.map((at) => values[at])));
}

/** Interval of mean(base) / mean(own) over the same cases: cases are drawn, so what both have in common drops out. */
export function ofGain(own: readonly number[], base: readonly number[], seed: number): Interval {
  const of = (values: readonly number[], drawn: readonly number[]) => mean(drawn.map((at) => values[at]));
  return bootstrap(own.length, seed, (drawn) => of(base, drawn) / of(own, drawn));
}
