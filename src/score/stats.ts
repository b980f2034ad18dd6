import { UsageError } from '../errors.js';
import { Random } from './random.js';

/** 97.5 % point of the standard normal distribution: two-sided 95 % intervals. */
const Z_95 = 1.959963984540054;

/** Enough that the 2.5 % tail holds 50 resamples; the seed makes the interval reproducible. */
const RESAMPLES = 2000;

/** Successes of `n` trials with their 95 % Wilson interval, as fractions. */
export interface Proportion {
  readonly successes: number;
  readonly n: number;
  readonly low: number;
  readonly high: number;
}

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

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

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

/**
 * 95 % Wilson score interval of a proportion (E. B. Wilson, JASA 22, 1927): honest at 0 of n and n of n, where
 * the normal approximation has no width.
 */
export function wilson(successes: number, n: number): Proportion {
  if (!Number.isInteger(n) || n < 1) throw new UsageError(`a proportion needs at least one trial, got ${n}`);
  if (!Number.isInteger(successes) || successes < 0 || successes > n) {
    throw new UsageError(`successes must be 0..${n}, got ${successes}`);
  }
  const p = successes / n;
  const z2 = Z_95 * Z_95;
  const center = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = (Z_95 / (1 + z2 / n)) * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n * n));
  return {
    successes,
    n,
    // At the ends the formula equals 0 or 1 exactly; rounding must not put the interval outside.
    low: successes === 0 ? 0 : Math.max(0, center - half),
    high: successes === n ? 1 : Math.min(1, center + half),
  };
}

function requireSamples(samples: readonly number[]): void {
  if (samples.length === 0) throw new UsageError('statistics need at least one sample');
  if (samples.some((value) => !Number.isFinite(value)))
    throw new UsageError('samples must be finite numbers');
}
