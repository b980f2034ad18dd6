import { describe, expect, it } from 'vitest';
import { KvStore } from '../../src/engine/kv-store.js';
import { CheckError } from '../../src/errors.js';
import {
  groupStarts,
  groupsOf,
  inBlocks,
  logicalOutcomes,
  logicalPasses,
  mergePasses,
  shiftedRows,
} from '../../src/pass/groups.js';
import { checkOutcome } from '../../src/pass/outcome.js';
import type { Pass, PassOutcome, RowGroup } from '../../src/pass/pass.js';
import { hidesRows, passShape } from '../../src/pass/shape.js';
import { passVisibility } from '../../src/pass/visibility.js';

const rowsAt = (...positions: number[]) => positions.map((position) => ({ position, feed: 10 + position }));
const pass = (changes: Partial<Pass> = {}): Pass => ({
  ...{
    id: '2.0',
    kind: 'denoise',
    lane: 'main',
    version: 5,
    reads: [],
    rows: rowsAt(4, 5),
    visibility: 'all',
  },
  logits: [0, 1],
  ...changes,
});
const group = (changes: Partial<RowGroup> = {}): RowGroup => ({
  ...{ kind: 'denoise', version: 5, rows: 1, sees: [], visibility: 'all' },
  ...changes,
});
const ref = (position: number, version: number) => ({ position, version });
/** A matrix as one text a row. */
const shown = (matrix: Float32Array | undefined, rows: number): string[] | undefined =>
  matrix === undefined
    ? undefined
    : Array.from({ length: rows }, (_, row) => {
        const keys = matrix.length / rows;
        return [...matrix.subarray(row * keys, (row + 1) * keys)].join('');
      });

describe('what rows see', () => {
  it.each([
    ['self', ['100', '010', '001']],
    ['causal', ['101', '111', '001']],
    ['ordered', ['100', '110', '111']],
  ] as const)('%s, behind what is cached', (visibility, own) => {
    // Positions 6, 7, 5 behind two cached keys.
    const reads = [ref(0, 1), ref(1, 1)];
    const matrix = shown(passVisibility(pass({ visibility, reads, rows: rowsAt(6, 7, 5) })), 3);
    expect(matrix).toEqual(own.map((row) => `11${row}`));
  });

  it('is everything where nothing is hidden, and no matrix is made', () => {
    expect(passVisibility(pass())).toBeUndefined();
    expect(passVisibility(pass({ visibility: 'causal', rows: rowsAt(4), logits: [0] }))).toBeUndefined();
    expect(shown(passVisibility(pass({ visibility: 'causal', reads: [ref(1, 0)] })), 2)).toEqual([
      '110',
      '111',
    ]);
  });

  it('of a shadow is all but its own position among what is cached', () => {
    const reads = [ref(3, 0), ref(4, 0), ref(4, 1), ref(5, 0)];
    expect(shown(passVisibility(pass({ visibility: 'shadow', reads })), 2)).toEqual(['100111', '111011']);
  });

  it('of groups is what is cached, the groups that it names, and its own', () => {
    const groups = [
      group({ rows: 2, visibility: 'causal' }),
      group({ rows: 1, version: 6, visibility: 'self' }),
      group({ rows: 2, version: 7, sees: [0], visibility: 'all' }),
      group({ rows: 1, version: 8, sees: [0, 2], visibility: 'shadow' }),
    ];
    const grouped = pass({
      ...{ rows: rowsAt(4, 5, 6, 4, 7, 5), reads: [ref(5, 1)], visibility: { groups }, logits: [] },
    });
    // What is cached, then the rows: 4 5 | 6 | 4 7 | 5. The last is blind to the cached 5 and to that of the first group.
    expect(shown(passVisibility(grouped), 6)).toEqual([
      '1100000',
      '1110000',
      '1001000',
      '1110110',
      '1110110',
      '0100111',
    ]);
  });

  it('makes a pass masked where somebody is blind', () => {
    for (const visibility of ['self', 'shadow', 'causal', 'ordered'] as const)
      expect(hidesRows(pass({ visibility })), visibility).toBe(true);
    expect(hidesRows(pass({ visibility: { groups: [group({ rows: 2 })] } }))).toBe(true);
    const lone = pass({ rows: rowsAt(4), logits: [] });
    expect(
      ['causal', 'ordered', 'self', 'all'].map((visibility) => hidesRows({ ...lone, visibility } as Pass)),
    ).toEqual([false, false, true, false]);
    expect(passShape(pass({ reads: [ref(1, 1)], adapter: true, logits: [1] }))).toEqual({
      ...{ rows: 2, kvSets: [{ name: 'prefix', length: 1 }], logitsRows: 1, masked: false, adapter: true },
    });
  });
});

describe('groups of a pass', () => {
  it('are one where it has none, and begin where the one before ends', () => {
    expect(groupsOf(pass({ visibility: 'self', kind: 'seal' }))).toEqual([
      { kind: 'seal', version: 5, rows: 2, sees: [], visibility: 'self' },
    ]);
    const groups = [group({ rows: 2 }), group({ rows: 3 }), group()];
    expect(groupsOf(pass({ visibility: { groups } }))).toBe(groups);
    expect(groupStarts(groups)).toEqual([0, 2, 5]);
  });

  const GROUPED = pass({
    ...{
      rows: rowsAt(4, 5, 6, 7, 4),
      reads: [ref(9, 2), ref(0, 1)],
      logits: [4, 1, 2],
      lane: 'side',
      adapter: true,
    },
    visibility: {
      groups: [
        group({ rows: 2, visibility: 'causal', kind: 'seal' }),
        group({ rows: 2, version: 6, sees: [0] }),
        group({ rows: 1, version: 7, sees: [0, 1], visibility: 'self' }),
      ],
    },
  });

  it('are passes that run one after another, each reading what it saw', () => {
    const common = { lane: 'side', adapter: true } as const;
    expect(logicalPasses(GROUPED)).toEqual([
      {
        ...{
          ...common,
          id: '2.0',
          kind: 'seal',
          version: 5,
          rows: rowsAt(4, 5),
          visibility: 'causal',
          logits: [1],
        },
        reads: [ref(0, 1), ref(9, 2)],
      },
      {
        ...{
          ...common,
          id: '2.0/1',
          kind: 'denoise',
          version: 6,
          rows: rowsAt(6, 7),
          visibility: 'all',
          logits: [0],
        },
        reads: [ref(0, 1), ref(4, 5), ref(5, 5), ref(9, 2)],
      },
      {
        ...{
          ...common,
          id: '2.0/2',
          kind: 'denoise',
          version: 7,
          rows: rowsAt(4),
          visibility: 'self',
          logits: [0],
        },
        reads: [ref(0, 1), ref(4, 5), ref(5, 5), ref(6, 6), ref(7, 6), ref(9, 2)],
      },
    ]);
    const plain = pass();
    expect(logicalPasses(plain)).toEqual([plain]);
    expect(logicalPasses(plain)[0]).toBe(plain);
  });

  it('read entries of one position in the order of their versions', () => {
    const groups = [group(), group({ version: 6, sees: [0] })];
    const [, second] = logicalPasses(
      pass({ rows: rowsAt(4, 8), reads: [ref(4, 9), ref(4, 1)], visibility: { groups } }),
    );
    expect(second.reads).toEqual([ref(4, 1), ref(4, 5), ref(4, 9)]);
  });

  it('have the outcomes of their rows, and a gap where one is missing', () => {
    const asked = { ...GROUPED, logits: [1, 2, 3, 4] };
    const row = (position: number) => ({ position, token: position, confidence: 1 });
    const cut = (positions: readonly number[]) =>
      logicalOutcomes(asked, { passId: '2.0', rows: positions.map(row) } as PassOutcome).map(
        ({ passId, rows }) => [passId, rows.map(({ position }) => position)],
      );
    expect(cut([5, 6, 7, 4])).toEqual([
      ['2.0', [5]],
      ['2.0/1', [6, 7]],
      ['2.0/2', [4]],
    ]);
    expect(cut([5, 7, 4]).map(([, rows]) => rows)).toEqual([[5], [7], [4]]);
    expect(cut([6, 7]).map(([, rows]) => rows)).toEqual([[], [6, 7], []]);
    expect(cut([]).map(([, rows]) => rows)).toEqual([[], [], []]);
    // A damaged pass may ask for logits of a row that it has not: it has no outcome, and the others keep theirs.
    const short = { ...asked, rows: rowsAt(4, 5, 6, 7) };
    const shortened = logicalOutcomes(short, { passId: '2.0', rows: [5, 6, 7].map(row) });
    expect(shortened.map(({ rows }) => rows.map(({ position }) => position))).toEqual([[5], [6, 7], []]);
    // Of two equal positions it is the first part's that is missing.
    const twice = { ...asked, logits: [0, 4] };
    const [first, , last] = logicalOutcomes(twice, { passId: '2.0', rows: [row(4)] });
    expect([first.rows, last.rows]).toEqual([[], [row(4)]]);
  });
});

describe('passes as one forward', () => {
  const first = pass({ reads: [ref(0, 1)], logits: [1] });
  const second = pass({
    ...{ id: '2.1', version: 6, rows: rowsAt(8, 9, 10), logits: [0, 2], kind: 'seal', visibility: 'self' },
    reads: [ref(0, 1), ref(4, 5), ref(5, 5)],
  });

  it('see each other as groups, and keep their logits', () => {
    expect(mergePasses([first, second])).toEqual({
      ...{ ...first, kind: 'denoise', rows: rowsAt(4, 5, 8, 9, 10), logits: [1, 2, 4] },
      visibility: {
        groups: [
          { kind: 'denoise', version: 5, rows: 2, sees: [], visibility: 'all' },
          { kind: 'seal', version: 6, rows: 3, sees: [0], visibility: 'self' },
        ],
      },
    });
    expect(mergePasses([first, { ...second, logits: [] }])?.kind).toBe('denoise');
    expect(mergePasses([{ ...first, logits: [] }, second])?.kind).toBe('seal');
    expect(mergePasses([{ ...first, logits: [], kind: 'prefill' }])?.kind).toBe('prefill');
  });

  it.each<[string, readonly Pass[]]>([
    ['one has groups already', [first, pass({ ...second, visibility: { groups: [group({ rows: 3 })] } })]],
    ['one is computed with the adapter', [first, { ...second, adapter: true }]],
    ['one reads what the others do not', [first, { ...second, reads: [...second.reads, ref(1, 1)] }]],
    ['one does not read what the others do', [first, { ...second, reads: second.reads.slice(1) }]],
    ['one reads another version', [first, { ...second, reads: [ref(0, 2), ...second.reads.slice(1)] }]],
    ['one sees a part of another', [first, { ...second, reads: second.reads.slice(0, 2) }]],
    ['one sees a later one', [{ ...first, reads: [ref(0, 1), ref(8, 6), ref(9, 6), ref(10, 6)] }, second]],
    ['one sees itself', [first, { ...second, reads: [ref(0, 1), ref(8, 6), ref(9, 6), ref(10, 6)] }]],
  ])('are refused where %s', (_, passes) => {
    expect(mergePasses(passes)).toBeNull();
  });

  it('are blocks that see themselves and those before', () => {
    const blocks = inBlocks(pass({ rows: rowsAt(0, 1, 2, 3, 4), logits: [1, 2, 4], reads: [ref(9, 1)] }), 2);
    expect(blocks).toMatchObject({ id: '2.0', version: 5, rows: rowsAt(0, 1, 2, 3, 4), logits: [1, 2, 4] });
    expect(blocks.reads).toEqual([ref(9, 1)]);
    expect(groupsOf(blocks)).toEqual([
      group({ rows: 2 }),
      group({ rows: 2, version: 6, sees: [0] }),
      group({ rows: 1, version: 7, sees: [0, 1] }),
    ]);
  });
});

describe('the rows that predict, of a model that shifts', () => {
  it('are those before, in the same group', () => {
    const groups = [group({ rows: 3 }), group({ rows: 2, version: 6 })];
    const grouped = pass({ rows: rowsAt(5, 4, 6, 6, 7), logits: [0, 1, 2, 3, 4], visibility: { groups } });
    // 5 is said by 4, 4 by itself, 6 by 5; in the second group 6 by itself and 7 by 6.
    expect(shiftedRows(grouped)).toEqual([1, 1, 0, 3, 3]);
  });

  it('are the rows themselves where they speak of the next position', () => {
    const of = (changes: Partial<Pass>) => shiftedRows(pass(changes));
    expect(of({})).toEqual([0, 0]);
    for (const kind of ['prefill', 'seal'] as const) expect(of({ kind })).toEqual([0, 1]);
    expect(of({ visibility: 'causal' })).toEqual([0, 1]);
    expect(of({ kind: 'refresh', visibility: 'self' })).toEqual([0, 0]);
  });
});

describe('the outcome of a pass', () => {
  const asked = pass({ id: '2.0', rows: rowsAt(4, 5, 6), logits: [2, 0] });
  const of = (positions: readonly number[], passId = '2.0'): PassOutcome => ({
    passId,
    rows: positions.map((position) => ({ position, token: 1, confidence: 1 })),
  });

  it('has the rows that were asked for, in their order', () => {
    expect(() => checkOutcome(asked, of([6, 4]))).not.toThrow();
    expect(() => checkOutcome(pass({ logits: [] }), of([]))).not.toThrow();
    for (const wrong of [[4, 6], [6], [6, 5], [5, 4], [6, 4, 4], []])
      expect(() => checkOutcome(asked, of(wrong)), wrong.join()).toThrow(
        new CheckError('outcome of pass 2.0 does not match the rows that pass 2.0 asked for'),
      );
    expect(() => checkOutcome(asked, of([6, 4], '2.1'))).toThrow(
      'outcome of pass 2.1 does not match the rows that pass 2.0 asked for',
    );
  });
});

describe('entries of a pass in a store', () => {
  const WIDTH = 2;
  const block = (rows: number) => {
    const part = (base: number) =>
      [0, 1].map((layer) => Float32Array.from({ length: rows * WIDTH }, (_, at) => base + 100 * layer + at));
    return { k: part(0), v: part(1000) };
  };

  it('have the version of their group, and the rows that are theirs', () => {
    const store = new KvStore(2, WIDTH);
    const groups = [group({ rows: 1 }), group({ rows: 2, version: 6 })];
    store.putPass(pass({ rows: rowsAt(4, 5, 4), visibility: { groups }, logits: [] }), block(3));
    expect(store.size).toBe(3);
    expect(store.bytes).toBe(3 * WIDTH * 2 * 2 * 4);
    const read = (position: number, version: number) => store.read(ref(position, version));
    expect([...read(4, 5).k[0]]).toEqual([0, 1]);
    expect([...read(5, 6).v[1]]).toEqual([1102, 1103]);
    expect([...read(4, 6).k[1]]).toEqual([104, 105]);
    expect(() => read(5, 5)).toThrow(new CheckError('KV of position 5 version 5 does not exist'));
    expect(store.stamp(ref(4, 5))).not.toBe(store.stamp(ref(4, 6)));
    expect(store.stamp(ref(5, 6))).toBe(store.stamp(ref(4, 6)));
  });

  it('are written once, until everything is dropped', () => {
    const store = new KvStore(2, WIDTH);
    store.putPass(pass({ logits: [] }), block(2));
    const before = store.stamp(ref(4, 5));
    expect(() => store.put([5], 5, block(1))).toThrow(
      new CheckError('KV of position 5 version 5 written twice; retain([]) starts a new decode'),
    );
    store.retain([]);
    expect([store.size, store.bytes]).toEqual([0, 0]);
    store.putPass(pass({ logits: [] }), block(2));
    expect(store.stamp(ref(4, 5))).not.toBe(before);
  });

  it('are gathered from where it is asked, and kept as they are when others go', () => {
    const store = new KvStore(2, WIDTH);
    store.put([0, 1, 2, 3], 1, block(4));
    const target = new Float32Array(3 * WIDTH).fill(-1);
    store.gather([ref(0, 1), ref(3, 1), ref(1, 1)], 1, 'v', target, 1);
    expect([...target]).toEqual([-1, -1, 1106, 1107, 1102, 1103]);
    const stamp = store.stamp(ref(3, 1));
    // Half of the rows is left: the arrays stay. One less: they are written anew.
    store.retain([ref(3, 1), ref(1, 1), ref(9, 9)]);
    expect([store.size, store.bytes]).toEqual([2, 4 * WIDTH * 2 * 2 * 4]);
    store.retain([ref(3, 1)]);
    expect([store.size, store.bytes]).toEqual([1, WIDTH * 2 * 2 * 4]);
    expect([...store.read(ref(3, 1)).v[0]]).toEqual([1006, 1007]);
    expect(store.stamp(ref(3, 1))).toBe(stamp);
    store.clear();
    expect(store.size).toBe(0);
  });
});
