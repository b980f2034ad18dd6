import { describe, expect, it } from 'vitest';
import { fastestWithin } from '../../experiments/report/attacks/decisions.js';
import type { QualityRow } from '../../experiments/studies/quality/table.js';
import { wilson } from '../../src/score/statistics/proportion.js';

const row = (policy: string, right: number, median: number): QualityRow => ({
  policy,
  exact: wilson(right, 100),
  taskAccuracy: right / 100,
  forwards: 10,
  rows: 10,
  tokensPerForward: 1,
  textTokensPerForward: 1,
  speculation: null,
  seconds: { median, low: median, high: median },
  joules: null,
  paired: null,
});

describe('the fastest policy within the margin', () => {
  it('loses at most 3 answers of 100 of the baseline, not of a faster policy', () => {
    const base = row('base', 80, 9);
    const rows = [base, row('full', 70, 2), row('lost', 76, 3), row('close', 78, 4), row('near', 79, 5)];
    expect(fastestWithin(rows, base).policy).toBe('close');
    expect(fastestWithin([base, row('full', 70, 2)], base).policy).toBe('base');
  });
});
