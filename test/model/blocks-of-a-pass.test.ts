import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupsOf, inBlocks, logicalOutcomes, logicalPasses, mergePasses } from '../../src/pass/groups.js';
import type { Pass } from '../../src/pass/pass.js';

function pass(change: Partial<Pass> & { readonly positions: readonly number[] }): Pass {
  const { positions, ...rest } = change;
  return {
    id: '7.0',
    kind: 'denoise',
    lane: 'main',
    version: 20,
    visibility: 'all',
    rows: positions.map((position) => ({ position, feed: 100 + position })),
    reads: [],
    logits: [],
    ...rest,
  };
}

const positionsFrom = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

describe('a pass in blocks', () => {
  const cases = fc
    .record({ rows: fc.integer({ min: 1, max: 12 }), blockLength: fc.integer({ min: 1, max: 6 }) })
    .chain(({ rows, blockLength }) =>
      fc.record({
        rows: fc.constant(rows),
        blockLength: fc.constant(blockLength),
        logits: fc.subarray(positionsFrom(0, rows)),
      }),
    );

  it('has the rows and logits of the pass, block after block, each seeing itself and those before it', () => {
    fc.assert(
      fc.property(cases, ({ rows, blockLength, logits }) => {
        const whole = pass({
          positions: positionsFrom(3, rows),
          logits,
          reads: [{ position: 0, version: 1 }],
        });
        const found = inBlocks(whole, blockLength);
        const blocks = Math.ceil(rows / blockLength);
        expect(found).toMatchObject({ id: '7.0', rows: whole.rows, logits, reads: whole.reads });
        expect(groupsOf(found)).toEqual(
          positionsFrom(0, blocks).map((block) => ({
            kind: 'denoise',
            version: 20 + block,
            rows: Math.min(blockLength, rows - block * blockLength),
            sees: positionsFrom(0, block),
            visibility: 'all',
          })),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('comes apart into passes that read what is before them, and its outcome with it', () => {
    const whole = pass({
      positions: [5, 6, 7, 8, 9],
      logits: [1, 2, 4],
      reads: [{ position: 6, version: 2 }],
    });
    const parts = logicalPasses(inBlocks(whole, 2));
    expect(
      parts.map(({ id, version, rows, logits }) => [
        id,
        version,
        rows.map(({ position }) => position),
        logits,
      ]),
    ).toEqual([
      ['7.0', 20, [5, 6], [1]],
      ['7.0/1', 21, [7, 8], [0]],
      ['7.0/2', 22, [9], [0]],
    ]);
    // By position, then by version.
    expect(parts[2].reads.map(({ position, version }) => `${position}:${version}`)).toEqual([
      '5:20',
      '6:2',
      '6:20',
      '7:21',
      '8:21',
    ]);
    const rows = [6, 7, 9].map((position) => ({ position, token: position, confidence: 0.5 }));
    const outcomes = logicalOutcomes(inBlocks(whole, 2), { passId: '7.0', rows });
    expect(outcomes.map(({ passId, rows: own }) => [passId, own.map(({ position }) => position)])).toEqual([
      ['7.0', [6]],
      ['7.0/1', [7]],
      ['7.0/2', [9]],
    ]);
    const gap = logicalOutcomes(inBlocks(whole, 2), { passId: '7.0', rows: [rows[0], rows[2]] });
    expect(gap.map(({ rows: own }) => own.map(({ position }) => position))).toEqual([[6], [], [9]]);
  });
});

describe('passes that run as one', () => {
  const first = pass({ positions: [1, 2], version: 4, logits: [0] });
  const entries = (of: Pass) => of.rows.map(({ position }) => ({ position, version: of.version }));
  const second = pass({ positions: [3], version: 5, reads: entries(first), logits: [0] });

  it('keep their order, rows and logits', () => {
    const merged = mergePasses([first, second]);
    expect(merged?.rows.map(({ position }) => position)).toEqual([1, 2, 3]);
    expect(merged?.logits).toEqual([0, 2]);
    expect(merged === null ? [] : groupsOf(merged).map(({ sees }) => sees)).toEqual([[], [0]]);
  });

  it('have the kind of the first that asks for logits', () => {
    const prefill = pass({ positions: [1, 2], version: 4, kind: 'prefill' });
    const seal = pass({ positions: [3], version: 5, kind: 'seal', reads: entries(prefill) });
    expect(mergePasses([prefill, { ...seal, logits: [0] }])?.kind).toBe('seal');
    expect(mergePasses([prefill, seal])?.kind).toBe('prefill');
  });

  it.each([
    ['one comes before what it reads', [second, first]],
    ['one reads half of another', [first, { ...second, reads: second.reads.slice(1) }]],
    ['one reads itself', [first, { ...second, reads: [...second.reads, { position: 3, version: 5 }] }]],
    [
      'they read other entries',
      [first, { ...second, reads: [...second.reads, { position: 0, version: 1 }] }],
    ],
    [
      'one reads fewer than the first',
      [
        {
          ...first,
          reads: [
            { position: 0, version: 1 },
            { position: 9, version: 1 },
          ],
        },
        { ...second, reads: [...second.reads, { position: 0, version: 1 }] },
      ],
    ],
    ['one is of groups already', [first, inBlocks(pass({ positions: [3, 4], version: 8 }), 1)]],
    ['one goes through the adapter', [first, { ...second, adapter: true as const }]],
  ])('are none when %s', (_, passes) => {
    expect(mergePasses(passes)).toBeNull();
  });
});
