import { describe, expect, it } from 'vitest';
import type { Canvas } from '../../src/decode/canvas/types.js';
import type { Trained } from '../../src/decode/laws/law.js';
import { checkPass } from '../../src/decode/laws/pass.js';
import { TrackedCanvas } from '../../src/decode/laws/tracked.js';
import type { Pass, RowVisibility } from '../../src/pass/pass.js';

const MASK = 9;
const CAUSAL: Trained = { attention: 'causal' };
const BLOCKS: Trained = { attention: 'block-causal', blockLength: 2 };

type Rows = readonly (number | readonly [position: number, feed: number])[];
interface Group {
  readonly rows: Rows;
  readonly visibility?: RowVisibility;
  readonly sees?: readonly number[];
}

/** Positions of rows that are named because they see more than a model was trained to see. */
function blind(trained: Trained, groups: readonly Group[], reads: readonly number[] = []): unknown[] {
  return faultsOf(trained, groups, reads).map(({ position }) => position);
}

function faultsOf(trained: Trained, groups: readonly Group[], reads: readonly number[] = []) {
  const positions = Array.from({ length: 9 }, () => ({ state: 'IV', token: MASK, kv: null, draft: null }));
  const start = { promptLength: 1, maskId: MASK, positions } as unknown as Canvas;
  const canvas = new TrackedCanvas(start, new Set(), trained);
  const whole = groups.map(({ rows, visibility = 'all', sees = [] }, at) => ({
    ...{ kind: 'denoise' as const, version: at + 1, rows: rows.length, sees, visibility },
  }));
  const pass = {
    ...{ id: '0.0', kind: 'denoise', lane: 'main', version: 1, logits: [] },
    rows: groups
      .flatMap(({ rows }) => rows)
      .map((row) =>
        typeof row === 'number' ? { position: row, feed: MASK } : { position: row[0], feed: row[1] },
      ),
    reads: reads.map((position) => ({ position, version: 1 })),
    visibility: whole.length === 1 ? whole[0].visibility : { groups: whole },
  } as Pass;
  checkPass(canvas, pass);
  return canvas.violations.filter(({ clause }) => clause === 'beyond-attention');
}

describe('a row sees no more than its model was trained to see', () => {
  it('everything, where it sees both ways', () => {
    expect(blind({ attention: 'bidirectional' }, [{ rows: [2, 3] }], [8])).toEqual([]);
  });

  it('what is left of it, cached or beside it', () => {
    expect(blind(CAUSAL, [{ rows: [2, 3] }])).toEqual([2]);
    expect(blind(CAUSAL, [{ rows: [2, 3], visibility: 'shadow' }])).toEqual([2]);
    expect(blind(CAUSAL, [{ rows: [2, 3], visibility: 'causal' }], [0, 1])).toEqual([]);
    expect(blind(CAUSAL, [{ rows: [2, 3], visibility: 'self' }], [0, 1])).toEqual([]);
    expect(blind(CAUSAL, [{ rows: [2, 3], visibility: 'causal' }], [4])).toEqual([2]);
    expect(blind(CAUSAL, [{ rows: [2] }], [1])).toEqual([]);
    expect(blind(CAUSAL, [{ rows: [0], visibility: 'causal' }])).toEqual([]);
    // The block length of a causal model is that of its decoding.
    expect(blind({ attention: 'causal', blockLength: 4 }, [{ rows: [2, 3] }])).toEqual([2]);
  });

  it('its block and what is left of it, to the row', () => {
    expect(blind(BLOCKS, [{ rows: [2, 3] }], [0, 1])).toEqual([]);
    expect(blind(BLOCKS, [{ rows: [2] }], [3])).toEqual([]);
    expect(blind(BLOCKS, [{ rows: [2] }], [4])).toEqual([2]);
    expect(blind(BLOCKS, [{ rows: [2, 3, 4] }])).toEqual([2]);
    expect(blind(BLOCKS, [{ rows: [3, 4] }])).toEqual([3]);
  });

  it('blocks that begin with the rows, where the same weights are causal too', () => {
    const both = { ...BLOCKS, alsoCausal: true };
    expect(blind(both, [{ rows: [3, 4] }], [0, 1, 2])).toEqual([]);
    expect(blind(both, [{ rows: [3, 4, 5] }])).toEqual([3]);
    expect(blind(both, [{ rows: [2, 3] }], [4])).toEqual([2]);
  });

  it('of other groups those that it names', () => {
    expect(blind(BLOCKS, [{ rows: [0, 1] }, { rows: [2, 3], sees: [0] }])).toEqual([]);
    expect(blind(BLOCKS, [{ rows: [4, 5] }, { rows: [2, 3] }])).toEqual([]);
    expect(blind(BLOCKS, [{ rows: [4, 5] }, { rows: [2, 3], sees: [0] }])).toEqual([2]);
  });

  it('in an ordered pass tokens before masks, each from left to right', () => {
    const ordered = (...rows: Rows) => blind(CAUSAL, [{ rows, visibility: 'ordered' }]);
    expect(ordered([2, 1], [3, 1], 4, 5)).toEqual([]);
    expect(ordered([3, 1], 2)).toEqual([]);
    expect(ordered([3, 1], [2, 1])).toEqual([3]);
    expect(ordered(3, 2)).toEqual([3]);
    expect(ordered(2, [3, 1])).toEqual([2]);
    expect(ordered([2, 1], [2, 1])).toEqual([]);
    // The order of the rows is that of an ordered pass alone.
    expect(blind(CAUSAL, [{ rows: [3, 2], visibility: 'causal' }])).toEqual([]);
    expect(blind(CAUSAL, [{ rows: [3, [2, 1]], visibility: 'self' }])).toEqual([]);
  });

  it('and it is said what it sees', () => {
    const said = (...args: Parameters<typeof faultsOf>) => faultsOf(...args).map(({ message }) => message);
    const sees = (position: number) =>
      `a row of pass 0.0 sees position ${position}, beyond what the model was trained to see`;
    expect(said(CAUSAL, [{ rows: [2, 3] }])).toEqual([sees(3)]);
    expect(said(CAUSAL, [{ rows: [3, 2], visibility: 'ordered' }])).toEqual([sees(3)]);
    expect(said(CAUSAL, [{ rows: [1, 0], visibility: 'ordered' }], [7])).toEqual([sees(1)]);
  });
});
