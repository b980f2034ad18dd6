import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { mean, median, medianInterval, quantile } from '../../src/score/statistics/samples.js';

const samples = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 30 });

describe('quantiles', () => {
  it('interpolates like R type 7', () => {
    // R: quantile(c(1, 2, 4, 8), c(.25, .5, .9))
    expect(quantile([8, 1, 4, 2], 0.25)).toBeCloseTo(1.75, 12);
    expect(median([8, 1, 4, 2])).toBe(3);
    expect(quantile([8, 1, 4, 2], 0.9)).toBeCloseTo(6.8, 12);
    expect([quantile([8, 1, 4, 2], 0), quantile([8, 1, 4, 2], 1)]).toEqual([1, 8]);
    expect(mean([8, 1, 4, 3])).toBe(4);
  });

  it('refuses empty samples, non-numbers and impossible probabilities', () => {
    expect(() => median([])).toThrow(UsageError);
    expect(() => mean([1, Number.NaN])).toThrow('finite');
    expect(() => quantile([1], 1.5)).toThrow('probability 1.5 is outside');
    expect(() => quantile([1], -0.5)).toThrow('probability -0.5 is outside');
    expect(() => quantile([1], Number.NaN)).toThrow('outside');
  });
});

describe('medianInterval', () => {
  it('contains the median and stays inside the sample', () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 0, max: 1e6 }), (values, seed) => {
        const { median: center, low, high } = medianInterval(values, seed);
        expect(low).toBeLessThanOrEqual(center);
        expect(center).toBeLessThanOrEqual(high);
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
      }),
      { numRuns: 40 },
    );
  });

  it('gives the same interval for the same seed', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    expect(medianInterval(values, 7)).toEqual(medianInterval(values, 7));
  });

  it('has no width when prompts do not differ', () => {
    expect(medianInterval([2, 2, 2], 1)).toEqual({ median: 2, low: 2, high: 2 });
  });

  it('cuts off 2.5 % at either end', () => {
    // Of 17 numbers: the median of a resample is at most the 5th with probability 0.0356 (binomial, 17 draws of 5/17, at
    // least 9), at most the 4th with 0.007. So the 2.5 % point is the 5th; it would be the 6th at 5 %.
    const values = Array.from({ length: 17 }, (_, i) => i + 1);
    const intervals = Array.from({ length: 21 }, (_, seed) => medianInterval(values, seed));
    expect(median(intervals.map(({ low }) => low))).toBe(5);
    expect(median(intervals.map(({ high }) => high))).toBe(13);
  });

  it('covers the true median about as often as it says', () => {
    // 100 samples of 25 uniform numbers: 95 expected, 87 is more than three standard deviations below.
    let covered = 0;
    for (let run = 0; run < 100; run++) {
      const values = Array.from({ length: 25 }, (_, i) =>
        fractional(Math.sin(run * 1000 + i * 12.9898) * 43758.5453),
      );
      const { low, high } = medianInterval(values, run);
      if (low <= 0.5 && 0.5 <= high) covered++;
    }
    expect(covered).toBeGreaterThanOrEqual(87);
  });
});

function fractional(value: number): number {
  return value - Math.floor(value);
}
