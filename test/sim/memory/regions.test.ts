import { describe, expect, it } from 'vitest';
import { type MemoryContext, regionsFor } from '../../../sim/memory/regions.js';

/** Grows by 16 tokens of 100 B; a pass of a prompt has 4 rows. */
const context = { kvGrowthTokens: 16, kvBytesPerToken: 100, passRows: 4 } as MemoryContext;
const pass = (rows: number, positions: number) => ({
  rows,
  positions,
  ops: [],
  scratchBytes: () => rows * 70,
});

describe('regions of the window', () => {
  const first = regionsFor(context, pass(8, 40), null);

  it('have whole growth steps of tokens, and activations of as many rows as a pass has', () => {
    expect(first).toEqual({ tokens: 48, rows: 8, kvBytes: 4800, scratchBytes: 560 });
    // A single row may be followed by a pass of a prompt.
    expect(regionsFor(context, pass(1, 40), null)).toMatchObject({ rows: 4, scratchBytes: 280 });
  });

  it('stay while both fit, and grow where one does not, never below what the other has', () => {
    expect(regionsFor(context, pass(8, 48), first)).toBe(first);
    expect(regionsFor(context, pass(8, 49), first)).toMatchObject({ tokens: 64, rows: 8 });
    expect(regionsFor(context, pass(10, 20), first)).toEqual({
      tokens: 48,
      rows: 10,
      kvBytes: 4800,
      scratchBytes: 700,
    });
  });
});
