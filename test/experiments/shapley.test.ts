import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shapley } from '../../experiments/studies/shapley.js';

const PLAYERS = 4;
const worths = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
  minLength: 1 << PLAYERS,
  maxLength: 1 << PLAYERS,
});
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

describe('Shapley values', () => {
  it('share out exactly what the whole is worth over nothing', () => {
    fc.assert(
      fc.property(worths, (worth) => {
        expect(sum(shapley(PLAYERS, worth))).toBeCloseTo((worth.at(-1) ?? 0) - (worth[0] ?? 0), 9);
      }),
    );
  });

  it('give a player who never adds anything nothing, and an additive one what it adds', () => {
    const adds = [0, 2, -1, 3];
    const worth = Array.from({ length: 1 << PLAYERS }, (_, mask) =>
      sum(adds.map((value, player) => (mask & (1 << player) ? value : 0))),
    );
    shapley(PLAYERS, worth).forEach((value, player) => {
      expect(value).toBeCloseTo(adds[player] ?? 0, 12);
    });
  });

  it('share a gain that takes both players equally', () => {
    expect(shapley(2, [0, 0, 0, 6])).toEqual([3, 3]);
  });
});
