import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { holm, mcnemar, pairedDifference } from '../../src/score/statistics/paired.js';

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

  it.each([
    // Worked examples: Newcombe 1998 (method 10) and Altman et al., Statistics with Confidence, 2000, chapter 6.
    [36, 12, 2, 0, 0.0569, 0.3404],
    [14, 5, 0, 22, 0.0115, 0.2265],
    [36, 14, 0, 0, 0.1528, 0.4167],
    [18, 0, 0, 36, -0.0415, 0.0415],
    [54, 0, 0, 0, -0.0664, 0.0664],
  ])('is the published one for the pairs %d, %d, %d, %d', (both, onlyOwn, onlyBase, neither, low, high) => {
    const pairs = [
      ...Array<[boolean, boolean]>(both).fill([true, true]),
      ...Array<[boolean, boolean]>(onlyOwn).fill([true, false]),
      ...Array<[boolean, boolean]>(onlyBase).fill([false, true]),
      ...Array<[boolean, boolean]>(neither).fill([false, false]),
    ];
    const found = pairedDifference(
      pairs.map(([own]) => own),
      pairs.map(([, base]) => base),
    );
    expect(found.value).toBeCloseTo((onlyOwn - onlyBase) / pairs.length, 12);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it('stays within 100 points on one problem, however wide', () => {
    const { low, high } = pairedDifference([true], [false], 5);
    expect(low).toBeGreaterThanOrEqual(-1);
    expect(high).toBe(1);
  });

  it('turns round with its arguments and holds the difference of the shares (property)', () => {
    fc.assert(
      fc.property(outcomes, (pairs) => {
        const [own, base] = [pairs.map(([first]) => first), pairs.map(([, second]) => second)];
        const share = (right: readonly boolean[]) => right.filter(Boolean).length / right.length;
        const { value, low, high } = pairedDifference(own, base);
        expect(value).toBeCloseTo(share(own) - share(base), 12);
        expect(low).toBeLessThanOrEqual(value);
        expect(high - low).toBeGreaterThan(0);
        expect(low).toBeGreaterThanOrEqual(-1);
        expect(high).toBeLessThanOrEqual(1);
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
