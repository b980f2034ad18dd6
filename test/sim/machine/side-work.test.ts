import { describe, expect, it } from 'vitest';
import { SideWork, splitAtCopies } from '../../../sim/machine/side-work.js';

/** 10 ms of one thread's arithmetic, 1000 B. */
const WORK = { singleThreadMs: 10, bytes: 1000 };
const span = (regime: 'npu' | 'cpu', startMs: number, endMs: number, copying = false) => ({
  regime,
  startMs,
  endMs,
  copying,
});

describe('SideWork', () => {
  it('runs jobs in order of launch, one at a time, and reports when each ends', () => {
    const side = new SideWork(() => ({ threads: 2, bytesPerMs: 1e9 }));
    side.launch('a', WORK);
    side.launch('b', WORK);
    const first = side.advance([span('npu', 0, 7)]);
    expect(first.completed).toEqual(['a']);
    expect(first.spans).toEqual([
      { id: 'a', startMs: 0, endMs: 5 },
      { id: 'b', startMs: 5, endMs: 7 },
    ]);
    expect(side.inFlight).toBe(1);
    const second = side.advance([span('npu', 7, 20)]);
    expect(second.completed).toEqual(['b']);
    expect(second.spans).toEqual([{ id: 'b', startMs: 7, endMs: 10 }]);
    expect(first.threadMs + second.threadMs).toBeCloseTo(20, 9);
    expect(first.bytes + second.bytes).toBeCloseTo(2000, 9);
  });

  it('ends a job that is shorter than the clock can tell', () => {
    const side = new SideWork(() => ({ threads: 2, bytesPerMs: 1e9 }));
    side.launch('a', { singleThreadMs: 1e-6, bytes: 0 });
    const late = 2 ** 42;
    expect(side.advance([span('npu', late, late + 1)]).completed).toEqual(['a']);
    expect(side.inFlight).toBe(0);
  });

  it('slows down where the main path leaves little, and pauses where it leaves nothing', () => {
    const side = new SideWork((regime, copying) => ({
      threads: regime === 'cpu' ? 0 : 1,
      bytesPerMs: copying ? 50 : 1e9,
    }));
    side.launch('a', WORK);
    // Half of it in 5 ms, nothing beside the main path, the rest at 50 B per ms: 10 ms.
    const { completed, spans } = side.advance([
      span('npu', 0, 5),
      span('cpu', 5, 9),
      span('npu', 9, 30, true),
    ]);
    expect(completed).toEqual(['a']);
    expect(spans.at(-1)).toEqual({ id: 'a', startMs: 9, endMs: 19 });
  });
});

describe('splitAtCopies', () => {
  it('covers the same time, with copies told apart', () => {
    const copies = [
      { startMs: -2, endMs: 1 },
      { startMs: 4, endMs: 12 },
    ];
    expect(splitAtCopies([span('npu', 0, 10), span('cpu', 10, 15)], copies)).toEqual([
      span('npu', 0, 1, true),
      span('npu', 1, 4),
      span('npu', 4, 10, true),
      span('cpu', 10, 12, true),
      span('cpu', 12, 15),
    ]);
  });
});
