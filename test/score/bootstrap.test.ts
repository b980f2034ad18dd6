import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseIntervals, caseRatioIntervals } from '../../experiments/comparison/case-intervals.js';
import { UsageError } from '../../src/errors.js';
import { bootstrap, drawn } from '../../src/score/statistics/bootstrap.js';
import { mean, median } from '../../src/score/statistics/samples.js';

const VALUES = [3, 4, 4, 5, 6, 8, 9, 12];

describe('bootstrap over cases', () => {
  it('gives every statistic an interval around it, the same for the same seed', () => {
    const of = (seed: number) =>
      bootstrap(VALUES.length, (cases) => [mean(drawn(VALUES, cases)), median(drawn(VALUES, cases))], seed);
    const { low, high } = of(1);
    for (const [i, value] of [mean(VALUES), median(VALUES)].entries()) {
      expect(low[i]).toBeLessThan(value);
      expect(high[i]).toBeGreaterThan(value);
    }
    expect(of(1)).toEqual({ low, high });
    expect(of(2)).not.toEqual({ low, high });
  });

  it('is about as wide as theory says: 3.9 standard errors of a mean', () => {
    const many = Array.from({ length: 200 }, (_, i) => i % 20);
    const spread = Math.sqrt(mean(many.map((value) => (value - mean(many)) ** 2)));
    const { low, high } = caseIntervals([many], mean, 1);
    const width = (high[0] ?? 0) - (low[0] ?? 0);
    expect(width / ((2 * 1.96 * spread) / Math.sqrt(200))).toBeCloseTo(1, 0.5);
  });

  it('pairs a ratio: twice the same seconds are a ratio of two on every draw', () => {
    const doubled = VALUES.map((value) => 2 * value);
    const { low, high } = caseRatioIntervals([VALUES, doubled], [[1, 0]], median, 1);
    expect([low[0], high[0]]).toEqual([2, 2]);
    const other = [...VALUES].reverse();
    const unpaired = caseRatioIntervals([VALUES, other], [[1, 0]], median, 1);
    expect(unpaired.low[0]).toBeLessThan(unpaired.high[0] ?? 0);
  });

  it('has no width for one case, and none where a statistic has no value', () => {
    expect(caseIntervals([[5]], mean, 1)).toEqual({ low: [5], high: [5] });
    expect(bootstrap(3, () => [Number.NaN], 1)).toEqual({ low: [null], high: [null] });
    for (const cases of [0, -1, 1.5]) expect(() => bootstrap(cases, () => [0], 1)).toThrow(UsageError);
  });

  it('stays inside the sample', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 12 }), (values) => {
        const { low, high } = caseIntervals([values], median, 3);
        expect(low[0]).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high[0]).toBeLessThanOrEqual(Math.max(...values));
      }),
      { numRuns: 20 },
    );
  });
});
