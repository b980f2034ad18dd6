import { UsageError } from '../../errors.js';
import { Random } from '../random.js';

/** Enough that the 2.5 % tail holds 50 resamples; the seed makes the interval reproducible. */
const RESAMPLES = 2000;

/** Median of a sample with its 95 % interval, in the unit of the sample. */
export interface MedianInterval {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Quantile by linear interpolation of order statistics (Hyndman and Fan's type 7).
 * @throws UsageError for an empty sample or a probability outside [0, 1].
 */
export function quantile(samples: readonly number[], probability: number): number {
  requireSamples(samples);
  if (!(probability >= 0 && probability <= 1))
    throw new UsageError(`probability ${probability} is outside [0, 1]`);
  return sortedQuantile(ascending(samples), probability);
}

function ascending(samples: readonly number[]): number[] {
  return [...samples].sort((a, b) => a - b);
}

/** Of a sample in ascending order. */
function sortedQuantile(sorted: readonly number[], probability: number): number {
  const index = probability * (sorted.length - 1);
  const below = Math.floor(index);
  const fraction = index - below;
  return fraction === 0 ? sorted[below] : sorted[below] * (1 - fraction) + sorted[below + 1] * fraction;
}

/** Middle of a sample. @throws UsageError for an empty sample or a value that is no finite number */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** Arithmetic mean. @throws UsageError as `median` */
export function mean(samples: readonly number[]): number {
  requireSamples(samples);
  return samples.reduce((sum, value) => sum + value, 0) / samples.length;
}

/**
 * Median with a 95 % percentile-bootstrap interval over the samples (prompts). Deterministic for a seed. One
 * sample gives an interval of width zero: there is nothing to resample.
 */
export function medianInterval(samples: readonly number[], seed: number): MedianInterval {
  const center = median(samples);
  const random = new Random(seed);
  const medians: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) {
    medians.push(sortedQuantile(ascending(samples.map(() => random.pick(samples))), 0.5));
  }
  const sorted = ascending(medians);
  // Interpolation may round an ulp past its neighbours, and the percentile interval of a tiny or lopsided sample
  // may miss its own median by one order statistic.
  const low = Math.max(Math.min(...samples), sortedQuantile(sorted, 0.025));
  const high = Math.min(Math.max(...samples), sortedQuantile(sorted, 0.975));
  return { median: center, low: Math.min(center, low), high: Math.max(center, high) };
}

function requireSamples(samples: readonly number[]): void {
  if (samples.length === 0) throw new UsageError('statistics need at least one sample');
  if (samples.some((value) => !Number.isFinite(value)))
    throw new UsageError('samples must be finite numbers');
}
