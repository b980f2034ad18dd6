import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfidenceName } from '../../src/decode/rules/confidence/registry.js';
import { scoreRow } from '../../src/decode/rules/score-row.js';
import { DataError } from '../../src/errors.js';

const RULES: readonly ConfidenceName[] = [
  'max-softmax',
  'margin',
  'neg-entropy',
  'entropy',
  'inverse-perplexity',
];
const row = (values: readonly number[]): Float32Array => Float32Array.from(values);

/** The definitions, without stabilisation, on logits small enough not to need it. */
function naive(values: readonly number[], mask: number, rule: ConfidenceName): number {
  const weights = values.map((value) => Math.exp(value));
  const sum = weights.reduce((a, b) => a + b, 0);
  const p = weights.map((weight) => weight / sum);
  const ranked = p.filter((_, id) => id !== mask).sort((a, b) => b - a);
  switch (rule) {
    case 'max-softmax':
    case 'random':
      return ranked[0];
    case 'margin':
      return ranked[0] - ranked[1];
    case 'neg-entropy':
      return 1 + p.reduce((h, x) => h + x * Math.log(x), 0) / Math.log(p.length);
    case 'inverse-perplexity': {
      const total = ranked.reduce((a, b) => a + b, 0);
      return Math.exp(ranked.reduce((h, x) => h + (x / total) * Math.log(x / total), 0));
    }
    case 'entropy':
      return -p.reduce((h, x) => h + x * Math.log(x), 0) / Math.log(p.length);
  }
}

describe('scoreRow', () => {
  it.each(RULES)('%s follows its definition', (rule) => {
    const logits = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(logits, fc.nat(2), (values, mask) => {
        const { token, confidence } = scoreRow(row(values), 0, values.length, mask, rule);
        expect(token).not.toBe(mask);
        expect(confidence).toBeCloseTo(naive(values, mask, rule), 10);
        values.forEach((value, id) => {
          if (id === mask) return;
          expect(value).toBeLessThanOrEqual(values[token]);
          if (id < token) expect(value).toBeLessThan(values[token]);
        });
      }),
    );
  });

  it('gives ties to the lowest id and never chooses the mask', () => {
    expect(scoreRow(row([1, 3, 3, 9]), 0, 4, 3).token).toBe(1);
  });

  it('counts the mask in the denominator', () => {
    expect(scoreRow(row([0, 0, 0, 0]), 0, 4, 3).confidence).toBeCloseTo(0.25, 12);
  });

  it('reads the row it is asked for', () => {
    expect(scoreRow(row([5, 0, 0, 0, 5, 0]), 1, 3, 2).token).toBe(1);
  });

  it.each(RULES)('%s survives huge logits and stays in [0, 1]', (rule) => {
    for (const values of [
      [1e30, 0, -1e30],
      [-1e30, -1e30, -1e30],
      [Number.NEGATIVE_INFINITY, 3, 3],
    ]) {
      const { confidence } = scoreRow(row(values), 0, 3, 2, rule);
      expect(confidence).toBeGreaterThanOrEqual(0);
      expect(confidence).toBeLessThanOrEqual(1);
    }
  });

  it('refuses rows that say nothing', () => {
    expect(() => scoreRow(row([0, Number.NaN, 0]), 0, 3, 2)).toThrow(DataError);
    // Behind what nothing can exceed, and where the mask is.
    for (const at of [2, 3, 4]) {
      const values = row([9, 8, 7, 6, 5]);
      values[at] = Number.NaN;
      expect(() => scoreRow(values, 0, 5, 4)).toThrow(`NaN at token ${at}`);
    }
    expect(() => scoreRow(row([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0]), 0, 3, 2)).toThrow(
      DataError,
    );
  });
});
