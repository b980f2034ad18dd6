/** Between the tenth and the ninetieth percentile. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Share of predictions that should lie in an interval. */
export const COVERAGE = 0.8;

/**
 * The middle 80 % of a mixture of lognormals, widened to hold as much of what the form of the model allows around the value at the
 * defaults: they are what a row most likely means, and may lie at an end of what it leaves open.
 * @param logs ln of samples
 * @param deviation of ln around each of them
 */
export function spreadInterval(value: number, logs: readonly number[], deviation: number): Interval {
  const tail = (1 - COVERAGE) / 2;
  const own = [Math.log(value)];
  const end = (share: number, of: readonly number[]): number => Math.exp(quantile(of, deviation, share));
  return {
    low: Math.min(end(tail, own), end(tail, logs)),
    high: Math.max(end(1 - tail, own), end(1 - tail, logs)),
  };
}

/** Quantile of a mixture of normals of one deviation around the samples, by halving. */
function quantile(centres: readonly number[], deviation: number, share: number): number {
  let low = Math.min(...centres) - 6 * deviation;
  let high = Math.max(...centres) + 6 * deviation;
  for (let halvings = 0; halvings < 60; halvings++) {
    const middle = (low + high) / 2;
    const below =
      centres.reduce((sum, centre) => sum + normalShare((middle - centre) / deviation), 0) / centres.length;
    if (below < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Share of a normal distribution below z (Abramowitz and Stegun 26.2.17, within 1e-7). */
function normalShare(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z > 0 ? 1 - tail : tail;
}
