import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { simultaneousZ, wilson } from '../../src/score/statistics/proportion.js';

describe('wilson', () => {
  it('agrees with published values', () => {
    // R: prop.test(81, 263, correct = FALSE)$conf.int and prop.test(0, 10, correct = FALSE)$conf.int
    expect(wilson(81, 263).low).toBeCloseTo(0.2553, 4);
    expect(wilson(81, 263).high).toBeCloseTo(0.3662, 4);
    expect(wilson(0, 10).low).toBe(0);
    expect(wilson(0, 10).high).toBeCloseTo(0.2775, 4);
  });

  it('contains the proportion, mirrors, and narrows with n', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), (n, k) => {
        const successes = Math.min(k, n);
        const p = wilson(successes, n);
        expect(p.low).toBeLessThanOrEqual(successes / n);
        expect(p.high).toBeGreaterThanOrEqual(successes / n);
        expect(wilson(n - successes, n).low).toBeCloseTo(1 - p.high, 9);
        const more = wilson(successes * 4, n * 4);
        expect(more.high - more.low).toBeLessThan(p.high - p.low);
      }),
    );
  });

  it('refuses what is no proportion', () => {
    expect(() => wilson(1, 0)).toThrow(UsageError);
    expect(() => wilson(3, 2)).toThrow('0..2');
    expect(() => wilson(0.5, 2)).toThrow(UsageError);
    expect(() => wilson(-1, 2)).toThrow('successes must be 0..2, got -1');
    for (const n of [0, -1, 1.5, Number.NaN]) expect(() => wilson(0, n)).toThrow('at least one trial');
  });
});

describe('intervals that hold together', () => {
  it('are as wide as the normal distribution says of so many comparisons', () => {
    // R: qnorm(1 - 0.025 / c(1, 2, 10)); beyond 25,000 comparisons qnorm(1 - 1e-6).
    expect(simultaneousZ(1)).toBeCloseTo(1.959964, 4);
    expect(simultaneousZ(2)).toBeCloseTo(2.241403, 4);
    expect(simultaneousZ(10)).toBeCloseTo(2.807034, 4);
    expect(simultaneousZ(1e6)).toBeCloseTo(4.753424, 2);
  });

  it.each([0, -1, 1.5, Number.NaN])('are none of %d comparisons', (comparisons) => {
    expect(() => simultaneousZ(comparisons)).toThrow(UsageError);
  });
});
