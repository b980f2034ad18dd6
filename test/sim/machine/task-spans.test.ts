import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainEndsMs } from '../../../sim/machine/chain.js';
import type { Kernel, TimedKernel } from '../../../sim/machine/kernel.js';
import { timeAlone } from '../../../sim/machine/npu-unit.js';
import { NPU_UNITS, type PerUnit } from '../../../sim/machine/resources.js';
import type { TaskSpan } from '../../../sim/machine/run-program.js';
import { spansAlone, spansOfChain, stretchedSpans } from '../../../sim/machine/task-spans.js';

const kernelOf = (fullChunks: number, repeats: number, finishMs: number, loadMs = 1): Kernel => ({
  pipelines: [
    {
      path: 'dma',
      tiles: 1,
      setup: { loadMs, convertMs: 1 },
      chunk: { loadMs: 3, decodeMs: 2, multiplyMs: 1, finishMs, storeMs: 1 },
      fullChunks,
      rest: null,
    },
  ],
  repeats,
  dmaBytes: 0,
  l2Bytes: 0,
  matrixMacs: 0,
  tcmPeakBytes: 0,
});
const timed = (kernel: Kernel): TimedKernel => timeAlone(kernel, { npuDramBytesPerMs: 1 });
const kernels = fc.record({
  chunks: fc.integer({ min: 1, max: 6 }),
  repeats: fc.integer({ min: 1, max: 3 }),
  finishMs: fc.constantFrom(0, 1, 4),
});
const busyOf = (spans: readonly TaskSpan[]): number[] =>
  NPU_UNITS.map((_, unit) =>
    spans.filter((span) => span.unit === unit).reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0),
  );

/** A unit has one task at a time, and tasks are told in the order in which they start. */
function areOneAtATime(spans: readonly TaskSpan[]): void {
  const starts = spans.map(({ startMs }) => startMs);
  expect(starts).toEqual([...starts].sort((a, b) => a - b));
  for (const unit of NPU_UNITS.keys()) {
    const own = spans.filter((span) => span.unit === unit);
    for (let at = 1; at < own.length; at++)
      expect(own[at].startMs).toBeGreaterThanOrEqual(own[at - 1].endMs - 1e-9);
  }
}

describe('tasks of an operator', () => {
  it('alone fill the time and the units that it takes, each numbered once', () => {
    fc.assert(
      fc.property(kernels, ({ chunks, repeats, finishMs }) => {
        const kernel = timed(kernelOf(chunks, repeats, finishMs));
        const spans = spansAlone(kernel);
        expect(Math.max(...spans.map(({ endMs }) => endMs))).toBeCloseTo(kernel.ms, 9);
        busyOf(spans).forEach((ms, unit) => {
          expect(ms).toBeCloseTo(kernel.busyMs[unit as 0], 9);
        });
        expect(new Set(spans.map(({ task }) => task)).size).toBe(spans.length);
        for (const { task, from } of spans) expect(from).toBeLessThan(task);
      }),
      { numRuns: 30 },
    );
  });

  it('in a chain are those of each, and the last ends with it', () => {
    // Their inputs are on the chip.
    const links = [kernelOf(3, 1, 1, 0), kernelOf(2, 2, 0, 0), kernelOf(4, 1, 4, 0)];
    const ends = chainEndsMs(links);
    const chain = links.map((link, at) => ({ ...timed(link), ms: ends[at] - (ends[at - 1] ?? 0) }));
    const own = spansOfChain(chain);
    own.forEach((spans, at) => {
      busyOf(spans).forEach((ms, unit) => {
        expect(ms, `operator ${at}`).toBeCloseTo(chain[at].busyMs[unit as 0], 9);
      });
    });
    // Numbers go on from one to the next.
    const numbers = own.flat().map(({ task }) => task);
    expect([...numbers].sort((a, b) => a - b)).toEqual(numbers.map((_, at) => at));
    expect(Math.max(...own[0].map(({ task }) => task))).toBeLessThan(
      Math.min(...own[1].map(({ task }) => task)),
    );
    own.forEach((spans, at) => {
      expect(Math.max(...spans.map(({ endMs }) => endMs)), `operator ${at}`).toBeCloseTo(chain[at].ms, 9);
    });
    // Weights of the second are fetched before the first ends.
    expect(Math.min(...own[1].map(({ startMs }) => startMs))).toBeLessThan(0);
  });

  it('beside a copy are as late as the operator is slow, and as long together as its units were busy', () => {
    fc.assert(
      fc.property(
        kernels,
        fc.constantFrom(1, 1.25, 2),
        fc.constantFrom(1, 1.5),
        ({ chunks, repeats, finishMs }, slow, dma) => {
          const kernel = timed(kernelOf(chunks, repeats, finishMs));
          const spans = spansAlone(kernel);
          const ms = kernel.ms * Math.max(slow, dma);
          const busyMs = kernel.busyMs.map((busy, unit) => (NPU_UNITS[unit] === 'dma' ? dma * busy : busy));
          const found = stretchedSpans(spans, kernel, ms, busyMs as unknown as PerUnit);
          expect(found).toHaveLength(spans.length);
          if (ms !== kernel.ms)
            busyOf(found).forEach((busy, unit) => {
              expect(busy).toBeCloseTo(busyMs[unit], 9);
            });
          areOneAtATime(found);
          expect(Math.max(...found.map(({ endMs }) => endMs))).toBeLessThanOrEqual(ms + 1e-9);
        },
      ),
      { numRuns: 40 },
    );
  });
});
