import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { discordant, holm, mcnemar, pairedDifference } from '../../src/score/statistics/paired.js';

const outcomes = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 200 });

describe('paired difference', () => {
  it('gives the paired difference an interval that holds it', () => {
    const { value, low, high } = pairedDifference([true, true, false, true], [true, false, true, true]);
    expect(value).toBe(0);
    expect(low).toBeLessThan(0);
    expect(high).toBe(-low);
    // Equal outcomes are no proof of equality on few problems.
    expect(pairedDifference([true], [true]).low).toBeLessThan(-0.03);
  });

  it('is the Wald interval with one pair added each way', () => {
    // 100 problems, 10 won and 4 lost: 0.06 +- 1.96 sqrt(14 + 2 - 36 / 100) / 100
    const own = Array.from({ length: 100 }, (_, i) => i < 10 || i >= 14);
    const base = Array.from({ length: 100 }, (_, i) => i >= 10);
    expect(discordant(own, base)).toEqual({ onlyFirst: 10, onlySecond: 4 });
    const { value, low, high } = pairedDifference(own, base);
    expect(value).toBeCloseTo(0.06, 12);
    expect(low).toBeCloseTo(0.06 - 0.0775116, 6);
    expect(high).toBeCloseTo(0.06 + 0.0775116, 6);
  });

  it('turns round with its arguments and holds the difference of the shares (property)', () => {
    fc.assert(
      fc.property(outcomes, (pairs) => {
        const [own, base] = [pairs.map(([first]) => first), pairs.map(([, second]) => second)];
        const share = (right: readonly boolean[]) => right.filter(Boolean).length / right.length;
        const { value, low, high } = pairedDifference(own, base);
        expect(value).toBeCloseTo(share(own) - share(base), 12);
        expect(low).toBeLessThan(value);
        expect(pairedDifference(base, own).low).toBeCloseTo(-high, 12);
      }),
    );
  });

  it('refuses outcomes of other problems', () => {
    expect(() => pairedDifference([true], [])).toThrow('1 outcomes cannot be paired with 0');
    expect(() => pairedDifference([], [])).toThrow(UsageError);
  });
});

describe('mcnemar', () => {
  it('is the exact binomial test on the discordant pairs', () => {
    expect(mcnemar(0, 0)).toBe(1);
    expect(mcnemar(5, 5)).toBe(1);
    // 2 * (C(10,0) + C(10,1)) / 2^10
    expect(mcnemar(1, 9)).toBeCloseTo((2 * 11) / 1024, 12);
    expect(mcnemar(0, 6)).toBeCloseTo(2 / 64, 12);
    // 2 * (C(10,0) + C(10,1) + C(10,2)) / 2^10, and up to C(12,4) of 2^12
    expect(mcnemar(8, 2)).toBeCloseTo((2 * 56) / 1024, 12);
    expect(mcnemar(4, 8)).toBeCloseTo((2 * (1 + 12 + 66 + 220 + 495)) / 4096, 12);
  });

  it.each([
    [0.5, 1],
    [1, 0.5],
    [-1, 2],
    [2, -1],
    [Number.NaN, 1],
  ])('refuses counts that are none: %d and %d', (a, b) => {
    expect(() => mcnemar(a, b)).toThrow(/pair counts must be whole, got/);
  });

  it('is symmetric, a probability, and smaller the more one side leads', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), (a, b) => {
        const p = mcnemar(a, b);
        expect(p).toBe(mcnemar(b, a));
        expect(p).toBeGreaterThanOrEqual(0);
        expect(p).toBeLessThanOrEqual(1);
        if (a >= b) expect(mcnemar(a + 1, b)).toBeLessThanOrEqual(p + 1e-9);
      }),
    );
  });
});

describe('holm', () => {
  it('multiplies the smallest by the number of tests and never falls', () => {
    const adjusted = holm([0.01, 0.04, 0.03]);
    expect(adjusted[0]).toBeCloseTo(0.03, 12);
    expect(adjusted[2]).toBeCloseTo(0.06, 12);
    expect(adjusted[1]).toBeCloseTo(0.06, 12);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });
});
