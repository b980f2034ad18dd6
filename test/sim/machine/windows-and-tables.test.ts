import { describe, expect, it, vi } from 'vitest';
import { latencyTable } from '../../../sim/machine/latency-table.js';
import { fasterSmallerWindow, fastest } from '../../../sim/machine/smaller-window.js';
import { machine } from '../../../sim/open-machine.js';
import { denoisingShape } from '../../../sim/workload/steady-step.js';
import { resolvePreset } from '../../../src/model/presets.js';

const WINDOW = 512 * 2 ** 20;

const opened = (bytes = WINDOW) =>
  machine({
    profile: 'sm8750',
    stack: 'llada.cpp',
    shapes: { ...resolvePreset('qwen3-0.6b'), layers: 2 },
    quant: 'q4_0',
    memory: 'somr',
    set: { 'profile.window.bytes': bytes },
  });

const shape = denoisingShape(32, 160);
/** The second of two steps. */
function second(of: ReturnType<typeof machine>) {
  of.timePass(shape);
  return of.timePass(shape);
}

describe('a smaller window', () => {
  const { counters } = second(opened());
  /** A step of an hour, whatever it mapped: every window that holds the model is faster. */
  const slow = (mappedBytes: number, stagedBytes: number) => ({
    ...second(opened()),
    startMs: 0,
    endMs: 3.6e6,
    counters: { ...counters, mappedBytes, stagedBytes },
  });

  it('is timed as the second of two steps of a machine that has it', () => {
    const found = fasterSmallerWindow(opened(), shape, slow(5, 5));
    if (found === null) throw new Error('none is faster than an hour');
    expect(found.bytes).toBeLessThan(WINDOW);
    expect(found.bytes % (WINDOW / 16)).toBe(0);
    const { startMs, endMs } = second(opened(found.bytes));
    expect(found.ms).toBe(endMs - startMs);
  });

  it('is the fastest of those that are noticeably faster, and the smallest of equal ones', () => {
    const [a, b, c] = [
      { bytes: 1, ms: 9 },
      { bytes: 2, ms: 8 },
      { bytes: 3, ms: 8 },
    ];
    expect(fastest([a, b, c], 10)).toBe(b);
    expect(fastest([c, b, a], 10)).toBe(b);
    expect(fastest([a], 9)).toBeNull();
    // A thousandth is not worth a word, and a little more is.
    expect(fastest([{ bytes: 1, ms: 999 }], 1000)).toBeNull();
    expect(fastest([{ bytes: 1, ms: 998.9 }], 1000)).not.toBeNull();
    expect(fastest([], 10)).toBeNull();
  });

  it('is not looked for where nothing is mapped or staged', () => {
    expect(fasterSmallerWindow(opened(), shape, slow(0, 0))).toBeNull();
  });
});

describe('the latency table of adaptive lookahead', () => {
  it('holds the time of the second of two equal passes, and times them once, however often it is asked', () => {
    const asked = opened();
    const timed = vi.spyOn(asked, 'timePass');
    const table = latencyTable(asked, 160);
    const { startMs, endMs } = second(opened());
    expect(table(32)).toBeCloseTo(endMs - startMs, 9);
    expect(table(1)).toBeLessThan(table(32));
    expect(table(32)).toBeCloseTo(endMs - startMs, 9);
    expect(timed).toHaveBeenCalledTimes(4);
  });
});
