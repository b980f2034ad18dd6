import { describe, expect, it } from 'vitest';
import { CanvasEdit } from '../../src/decode/canvas/edit.js';
import {
  blockCount,
  blockOf,
  blockOrigin,
  blockRange,
  contains,
  firstOpenBlock,
  isLastBlockDone,
  isUndecided,
  maskedInBlock,
  positionsOf,
  totalLength,
} from '../../src/decode/canvas/geometry.js';
import { keepRows, liveKv } from '../../src/decode/canvas/kv.js';
import type { Canvas } from '../../src/decode/canvas/types.js';
import { draftWritesBetween, kvWritesBetween } from '../../src/decode/method/step-record.js';
import { isStepTiming } from '../../src/decode/method/timer.js';
import { canvasOf, MASK, passOf } from './support/one-record.js';

describe('blocks', () => {
  const own = { promptLength: 3, genLength: 5, blockLength: 2 };
  const zero = { ...own, blockOrigin: 2 };

  it('begin behind the prompt, or where they are said to, and the last may be short', () => {
    expect([blockOrigin(own), totalLength(own), blockCount(own)]).toEqual([3, 8, 3]);
    expect([0, 1, 2, 3, 4].map((block) => blockRange(own, block))).toEqual([
      { start: 3, end: 5 },
      { start: 5, end: 7 },
      { start: 7, end: 8 },
      { start: 8, end: 8 },
      { start: 8, end: 8 },
    ]);
    expect([blockOrigin(zero), totalLength(zero), blockCount(zero)]).toEqual([2, 8, 3]);
    expect(blockRange(zero, 2)).toEqual({ start: 6, end: 8 });
    expect(blockOrigin({ ...own, blockOrigin: 0 })).toBe(0);
  });

  it('hold their positions; what is before them is in none', () => {
    expect([0, 2, 3, 4, 5, 7].map((position) => blockOf(own, position))).toEqual([-1, -1, 0, 0, 1, 2]);
    expect([1, 2, 3, 4].map((position) => blockOf(zero, position))).toEqual([-1, 0, 0, 1]);
    // Two positions before the first one it is not block -2.
    expect(blockOf({ ...own, blockLength: 1 }, 0)).toBe(-1);
    expect([4, 5, 6, 7].map((position) => contains({ start: 5, end: 7 }, position))).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect([
      positionsOf({ start: 2, end: 5 }),
      positionsOf({ start: 5, end: 5 }),
      positionsOf({ start: 5, end: 2 }),
    ]).toEqual([[2, 3, 4], [], []]);
  });

  it('are open while a position has no token', () => {
    const canvas = canvasOf(['S', 'V', 'IV', 'M'], {}, { block: 1 });
    expect([0, 1, 2, 3, 4].map((position) => isUndecided(canvas, position))).toEqual([
      false,
      false,
      false,
      true,
      true,
    ]);
    expect([maskedInBlock(canvas), maskedInBlock({ ...canvas, block: 0 })]).toEqual([[3, 4], []]);
    expect([0, 1, 2].map((block) => firstOpenBlock({ ...canvas, block }))).toEqual([1, 1, 2]);
    expect([0, 1, 2, 3].map((block) => isLastBlockDone({ ...canvas, block }))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(firstOpenBlock(canvasOf(['S', 'V', 'S', 'S'], {}, { block: 0 }))).toBe(2);
  });
});

describe('an edit of a canvas', () => {
  const canvas = canvasOf(['IV', 'V', 'S', 'M'], {}, { step: 4 });

  it('notes a change of state or token, anything else where it is asked to, and leaves the canvas as it is', () => {
    const edit = new CanvasEdit(canvas);
    edit.transit(1, { state: 'S', token: 7, confidence: 0.5 }, 'commit');
    edit.transit(2, { token: 8 }, 'revise');
    edit.transit(2, { confidence: 0.25 }, 'revise');
    edit.transit(4, { state: 'IV' }, 'window');
    edit.transit(3, { confidence: 1 }, 'final', true);
    edit.patch(3, { confidence: 0.75 });
    const change = { tokenBefore: MASK, token: MASK, confidence: 0 };
    expect(edit.transitions).toEqual([
      { position: 1, from: 'IV', to: 'S', tokenBefore: MASK, token: 7, confidence: 0.5, reason: 'commit' },
      { position: 2, from: 'V', to: 'V', tokenBefore: 3, token: 8, confidence: 0, reason: 'revise' },
      { ...change, position: 4, from: 'M', to: 'IV', reason: 'window' },
      { position: 3, from: 'S', to: 'S', tokenBefore: 3, token: 3, confidence: 1, reason: 'final' },
    ]);
    expect([edit.length, edit.at(2).confidence, edit.at(3).confidence]).toEqual([5, 0.25, 0.75]);
    const after = edit.canvas({ step: 5 });
    expect(after).toMatchObject({ step: 5, blockLength: 2, positions: { length: 5 } });
    edit.patch(1, { token: 0 });
    expect([after.positions[1].token, canvas.positions[1].token, edit.canvas().step]).toEqual([7, MASK, 4]);
  });

  it('makes KV of rows durable: long-term of what is stable, with the version of its pass and what it was fed', () => {
    const edit = new CanvasEdit(canvas);
    keepRows(
      edit,
      passOf(
        [
          [1, MASK],
          [2, 6],
          [3, 3],
        ],
        { version: 9 },
      ),
    );
    expect([0, 1, 2, 3, 4].map((position) => edit.at(position).kv)).toEqual([
      null,
      { position: 1, version: 9, token: MASK, residency: 'mutable' },
      { position: 2, version: 9, token: 6, residency: 'mutable' },
      { position: 3, version: 9, token: 3, residency: 'long-term' },
      null,
    ]);
  });

  it('keeps alive what is cached, and what refreshes under way compute', () => {
    const entry = (position: number, version: number) => ({
      kv: { position, version, token: 3, residency: 'mutable' as const },
    });
    const held: Canvas = {
      ...canvasOf(['S', 'V', 'IV', 'M'], { 1: entry(1, 2), 2: entry(2, 3) }),
      inFlight: [
        {
          ...{ passId: '1.1', passVersion: 7, launchedAt: 1 },
          targets: [1, 2].map((position) => ({ position, version: 2, token: 3, feed: 3 })),
        },
      ],
    };
    expect(liveKv(held)).toEqual([
      { position: 1, version: 2 },
      { position: 2, version: 3 },
      { position: 1, version: 7 },
      { position: 2, version: 7 },
    ]);
  });
});

describe('what a step wrote', () => {
  const entry = (version: number, residency: 'mutable' | 'long-term' = 'mutable') => ({
    kv: { position: 1, version, token: 3, residency },
  });
  const draft = { token: 5, confidence: 0.5, step: 1 };
  const one = (change: object) => canvasOf(['V', 'IV'], { 1: change });

  it('is KV that appeared or has another version or residency', () => {
    const written = (before: object, after: object) => kvWritesBetween(one(before), one(after));
    expect(written({}, entry(2))).toEqual([entry(2).kv]);
    expect(written(entry(1), entry(2))).toEqual([entry(2).kv]);
    expect(written(entry(2), entry(2, 'long-term'))).toEqual([entry(2, 'long-term').kv]);
    expect(written(entry(2), entry(2))).toEqual([]);
    expect([written(entry(2), {}), written({}, {})]).toEqual([[], []]);
  });

  it('is drafts that came, changed or went', () => {
    const written = (before: object | null, after: object | null) =>
      draftWritesBetween(one({ draft: before }), one({ draft: after }));
    expect(written(null, draft)).toEqual([{ position: 1, draft }]);
    expect(written(draft, null)).toEqual([{ position: 1, draft: null }]);
    expect(written(draft, { ...draft })).toHaveLength(1);
    expect([written(draft, draft), written(null, null)]).toEqual([[], []]);
  });
});

describe('times', () => {
  it('are those of a machine where it says what was busy and what was done', () => {
    const times = { startMs: 0, endMs: 1, completed: [] };
    const [busyMs, counters] = [{} as never, {} as never];
    expect(
      [null, times, { ...times, busyMs }, { ...times, counters }, { ...times, busyMs, counters }].map(
        isStepTiming,
      ),
    ).toEqual([...[false, false, false, false, true]]);
  });
});
