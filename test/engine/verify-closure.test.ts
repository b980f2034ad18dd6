import { describe, expect, it } from 'vitest';
import { closureOf, groupPasses, jointPass } from '../../src/engine/verify/closure.js';
import { type Part, partsOf, predictorOf } from '../../src/engine/verify/parts.js';
import { CheckError } from '../../src/errors.js';
import type { Pass } from '../../src/pass/pass.js';

/** A pass of these positions that reads others as `[position, version]`, and wants logits of its last row. */
function part(version: number, positions: number[], reads: [number, number][] = [], kind = 'denoise'): Part {
  const pass = {
    ...{ id: `${version}.0`, kind, lane: 'main', version, visibility: 'all' },
    rows: positions.map((position) => ({ position, feed: 10 * version + position })),
    reads: reads.map(([position, of]) => ({ position, version: of })),
    logits: [positions.length - 1],
  } as Pass;
  const rows = [{ position: positions[positions.length - 1], token: 1, confidence: 1 }];
  return partsOf(pass, { passId: pass.id, rows })[0];
}
const named = (...parts: Part[]) => new Map(parts.map((each) => [each.version, each]));

describe('what a prediction depends on', () => {
  const first = part(1, [0, 1]);
  const second = part(2, [2], [[0, 1]]);
  const third = part(3, [3], [[2, 2]]);
  const all = named(first, second, third);

  it('is followed through entries that were computed from others, each once', () => {
    expect([...closureOf(third, all)].sort()).toEqual([1, 2, 3]);
    expect([...closureOf(second, all)].sort()).toEqual([1, 2]);
    // Two that read each other come to an end.
    const loop = part(4, [4], [[5, 5]]);
    const back = part(5, [5], [[4, 4]]);
    expect([...closureOf(loop, named(loop, back))].sort()).toEqual([4, 5]);
  });

  it('must have been computed, version and row', () => {
    const lost = part(6, [6], [[0, 9]]);
    expect(() => closureOf(lost, named(lost))).toThrow(CheckError);
    expect(() => closureOf(lost, named(lost))).toThrow(/depends on version 9, which no pass wrote/);
    const absent = part(7, [7], [[5, 1]]);
    const group = { targets: [absent], versions: new Set([1, 7]) };
    expect(() => jointPass(group, named(first, absent))).toThrow(
      /reads position 5 of version 1, which has no such row/,
    );
  });

  it('is said by the row of a position, or by the one before it where the model shifts', () => {
    const group = { targets: [first], versions: new Set([1]) };
    expect(jointPass(group, all).wanted).toMatchObject([
      { row: 1, position: 1, partId: '1.0', recorded: { token: 1 } },
    ]);
    expect(jointPass(group, all, true).wanted).toMatchObject([{ row: 0, position: 1 }]);
  });

  it('is laid out oldest first, whoever asked for it', () => {
    const { rows, visibility } = jointPass({ targets: [third], versions: new Set([3, 1, 2]) }, all);
    expect(rows.map(({ position, version }) => [position, version])).toEqual([
      [0, 1],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect([...visibility]).toEqual([1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1]);
  });
});

describe('predictions that one forward recomputes', () => {
  const parts = [part(1, [0, 1]), part(2, [2, 3], [[0, 1]]), part(3, [4], [[0, 1]]), part(4, [5, 6, 7, 8])];
  const groups = (maxRows: number) =>
    groupPasses(parts, named(...parts), maxRows).map(({ targets, versions }) => [
      targets.map(({ version }) => version),
      [...versions].sort(),
    ]);

  it('are as many as fit, to the row, and one that does not fit has its own', () => {
    expect(groups(9)).toEqual([
      [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    ]);
    expect(groups(8)).toEqual([
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
      [[4], [4]],
    ]);
    expect(groups(4)).toEqual([
      [
        [1, 2],
        [1, 2],
      ],
      [[3], [1, 3]],
      [[4], [4]],
    ]);
    expect(groups(1)).toEqual([
      [[1], [1]],
      [[2], [1, 2]],
      [[3], [1, 3]],
      [[4], [4]],
    ]);
  });
});

describe('the row that says what stands at a position', () => {
  it('is the one before where the model shifts, and its own in a pass that caches text', () => {
    expect(predictorOf(part(1, [4, 5]), 1, true)).toBe(0);
    expect(predictorOf(part(1, [4, 5]), 1, false)).toBe(1);
    expect(predictorOf(part(1, [4, 6]), 1, true)).toBe(1);
    for (const kind of ['prefill', 'seal'])
      expect(predictorOf(part(1, [4, 5], [], kind), 1, true), kind).toBe(1);
  });
});
