import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AgreementCounter,
  agreementOf,
  compareRow,
  type RowDifference,
  rowState,
} from '../../../src/engine/compare/agreement.js';

const row = (change: Partial<RowDifference>): RowDifference => ({
  sameBest: true,
  margin: 1,
  kl: 0,
  maxLogitError: 0,
  ...change,
});

describe('a row under two engines', () => {
  it('is what its definition says, on random rows', () => {
    const values = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(values, values, fc.constantFrom(null, 0, 1, 5), (a, b, maskId) => {
        const [reference, actual] = [Float32Array.from(a), Float32Array.from(b)];
        const found = compareRow(reference, actual, 6, 6, maskId);
        const [mine, theirs] = [a.slice(6), b.slice(6)];
        const ranked = (logits: readonly number[]): number[] =>
          [...logits.keys()].filter((id) => id !== maskId).sort((x, y) => logits[y] - logits[x] || x - y);
        const [best, second] = ranked(mine);
        expect(found.sameBest).toBe(best === ranked(theirs)[0]);
        expect(found.margin).toBe(mine[best] - mine[second]);
        const softmax = (logits: readonly number[]): number[] => {
          const weights = logits.map(Math.exp);
          const sum = weights.reduce((x, y) => x + y);
          return weights.map((weight) => weight / sum);
        };
        const [p, q] = [softmax(mine), softmax(theirs)];
        expect(found.kl).toBeCloseTo(
          p.reduce((sum, each, id) => sum + each * Math.log(each / q[id]), 0),
          9,
        );
        const shift = theirs.reduce((sum, each, id) => sum + each - mine[id], 0) / 6;
        const errors = theirs.map((each, id) => Math.abs(each - mine[id] - shift));
        expect(found.maxLogitError).toBeCloseTo(Math.max(...errors), 9);
      }),
      { numRuns: 60 },
    );
  });

  it('has a state: of the prompt, whatever its token, or its own', () => {
    expect((['M', 'IV', 'V', 'S'] as const).map((state) => rowState(state, false))).toEqual([
      'masked',
      'invisible',
      'visible',
      'stable',
    ]);
    expect(rowState('S', true)).toBe('prompt');
  });
});

describe('agreement over rows', () => {
  it('counts near-ties below the margin, and what was turned at it or beyond', () => {
    const rows = [
      row({ margin: 0.25, sameBest: false, kl: 0.5, maxLogitError: 1 }),
      row({ margin: 0.5, sameBest: false, kl: 0.25, maxLogitError: 3 }),
      row({ margin: 0.125 }),
      row({ margin: 8, maxLogitError: 2 }),
    ];
    expect(agreementOf(rows, 0.5)).toEqual({
      rows: 4,
      sameBest: 2,
      nearTies: 2,
      differentBeyondNearTies: 1,
      largestMarginTurned: 0.5,
      klMean: 0.1875,
      klMax: 0.5,
      maxLogitError: 3,
    });
    expect(agreementOf(rows.slice(2), 0.5).largestMarginTurned).toBeNull();
    expect(agreementOf([], 0.5)).toMatchObject({ rows: 0, klMean: 0, largestMarginTurned: null });
  });

  it('is told by state, in their order, then for all', () => {
    const counter = new AgreementCounter(0.5);
    counter.add('stable', row({ kl: 1 }));
    counter.add('masked', row({ kl: 2, margin: 0.25 }));
    counter.add('stable', row({ kl: 3 }));
    expect(
      counter.result().map(({ state, rows, klMean, nearTies }) => [state, rows, klMean, nearTies]),
    ).toEqual([
      ['masked', 1, 2, 1],
      ['stable', 2, 2, 0],
      ['all', 3, 2, 1],
    ]);
  });
});
