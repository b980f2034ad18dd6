import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResult } from '../../experiments/comparison/result.js';
import { rivalsMarkdown } from '../../experiments/studies/rivals/markdown.js';

const stored = readResult(join(import.meta.dirname, '../../results/reference/reproduce/rivals/result.json'));

/** What is said when the interval of MBSD's gain under llada.cpp has these ends. */
const said = (gain_low: number, gain_high: number): string =>
  rivalsMarkdown({
    ...stored,
    table: stored.table?.map((row) =>
      row.stack === 'llada.cpp' && row.method === 'MBSD' ? { ...row, gain_low, gain_high } : row,
    ),
  }).split(';')[0];

describe('does MBSD pay', () => {
  it.each([
    [0.9, 0.99, 'under llada.cpp no,'],
    [0.9, 1.01, 'under llada.cpp it cannot be told,'],
    [1.01, 1.1, 'under llada.cpp yes,'],
  ])('a gain between %d and %d', (low, high, words) => {
    expect(said(low, high)).toContain(words);
  });
});
