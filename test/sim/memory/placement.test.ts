import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PlacementItem, placeAlternating, placeGlobal } from '../../../sim/memory/placement.js';

const MB = 1e6;

/** Worked example of arXiv:2606.13740 Fig. 10a: budget 30 MB, operators A to E; E depends on nothing. */
const FIG_10: readonly PlacementItem[] = [
  { id: 'A', bytes: 30 * MB, computeMs: 2, transferMs: 3 },
  { id: 'B', bytes: 10 * MB, computeMs: 1, transferMs: 1 },
  { id: 'C', bytes: 30 * MB, computeMs: 2, transferMs: 2 },
  { id: 'D', bytes: 30 * MB, computeMs: 5, transferMs: 3 },
  { id: 'E', bytes: 10 * MB, computeMs: 1, transferMs: 1, independent: true },
];

describe('placeAlternating', () => {
  it('reproduces the worked example: R{A} T{B} R{C} T{E} R{D}', () => {
    expect(placeAlternating(FIG_10, 30 * MB)).toEqual([
      { resident: ['A'], temporary: ['B'] },
      { resident: ['C'], temporary: ['E'] },
      { resident: ['D'], temporary: [] },
    ]);
  });

  it('does not pull a dependent operator forward', () => {
    const dependent = FIG_10.map((item) => ({ ...item, independent: false }));
    expect(placeAlternating(dependent, 30 * MB)).toEqual([
      { resident: ['A'], temporary: ['B'] },
      { resident: ['C'], temporary: [] },
      { resident: ['D'], temporary: ['E'] },
    ]);
  });

  it('hides transfers strictly: a transfer as long as the compute is refused', () => {
    const items = [
      { id: 'A', bytes: 10, computeMs: 2, transferMs: 1 },
      { id: 'B', bytes: 10, computeMs: 1, transferMs: 2 },
    ];
    expect(placeAlternating(items, 10)).toEqual([
      { resident: ['A'], temporary: [] },
      { resident: ['B'], temporary: [] },
    ]);
  });

  it('names an operator that never fits', () => {
    expect(() => placeAlternating(FIG_10, 20 * MB)).toThrow(/A needs 30000000 B/);
  });
});

const items = fc.array(
  fc.record({
    bytes: fc.integer({ min: 1, max: 1000 }),
    computeMs: fc.double({ min: 0, max: 5, noNaN: true }),
    transferMs: fc.double({ min: 0, max: 5, noNaN: true }),
    independent: fc.boolean(),
  }),
  { minLength: 1, maxLength: 40 },
);
const named = items.map((list) => list.map((item, at) => ({ ...item, id: `op${at}` })));

describe('placement', () => {
  it('alternating: places every operator once, residents fit, transfers hide', () => {
    fc.assert(
      fc.property(named, fc.integer({ min: 1000, max: 5000 }), (list, budget) => {
        const byId = new Map(list.map((item) => [item.id, item]));
        const sum = (ids: readonly string[], pick: (item: PlacementItem) => number): number =>
          ids.reduce((total, id) => total + pick(byId.get(id) as PlacementItem), 0);
        const phases = placeAlternating(list, budget);
        const placed = phases.flatMap((phase) => [...phase.resident, ...phase.temporary]);
        expect([...placed].sort()).toEqual(list.map((item) => item.id).sort());
        for (const { resident, temporary } of phases) {
          expect(sum(resident, (item) => item.bytes)).toBeLessThanOrEqual(budget);
          const compute = sum(resident, (item) => item.computeMs);
          if (temporary.length > 0) expect(sum(temporary, (item) => item.transferMs)).toBeLessThan(compute);
        }
      }),
    );
  });

  it('global: residents fit the budget, and nothing is staged when everything fits', () => {
    fc.assert(
      fc.property(named, fc.integer({ min: 0, max: 20_000 }), (list, budget) => {
        const bytes = list.map((item) => item.bytes);
        const staged = new Set(placeGlobal(bytes, budget));
        const total = bytes.reduce((sum, size) => sum + size, 0);
        const resident = bytes.reduce((sum, size, at) => sum + (staged.has(at) ? 0 : size), 0);
        expect(resident).toBeLessThanOrEqual(budget);
        if (total <= budget) expect(staged.size).toBe(0);
      }),
    );
  });

  it('global: takes the largest where no share adds up to a whole one', () => {
    // One byte too many: a fiftieth of each is never as much as one of them.
    expect(placeGlobal([10, 30, 10], 49)).toEqual([1]);
    expect(placeGlobal([10, 10, 30], 49)).toEqual([2]);
    expect(placeGlobal([30, 30, 10], 69)).toEqual([0]);
    expect(placeGlobal([10, 30, 10], 50)).toEqual([]);
  });

  it('global: spreads staged tensors evenly', () => {
    const bytes = Array.from({ length: 100 }, () => 10);
    const staged = placeGlobal(bytes, 750);
    expect(staged).toHaveLength(25);
    staged.slice(1).forEach((next, at) => {
      expect(next - (staged[at] as number)).toBe(4);
    });
  });
});
