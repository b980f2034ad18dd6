import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PerfettoTrace, toPerfetto } from '../../../sim/machine/perfetto.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { denoisingShape } from '../../../sim/workload/steady-step.js';
import type { StepTiming } from '../../../src/decode/method/timer.js';
import { resolvePreset } from '../../../src/model/presets.js';

const TITLES = { matrix: 'matrix unit', vector: 'vector threads', dma: 'DMA', l2: 'L2 reads and writes' };

/** A step of a small model in which every task is a slice, as a file would hold it. */
function traced(stack: string, rows: number, context: number): { timing: StepTiming; trace: PerfettoTrace } {
  const machine = openMachine({
    profile: 'sm8750',
    stack,
    shapes: { ...resolvePreset('qwen3-0.6b'), layers: 2 },
    quant: 'q4_0',
    memory: 'unlimited',
    record: 'chunk',
  });
  const timing = machine.timePass(denoisingShape(rows, context));
  return { timing, trace: JSON.parse(JSON.stringify(toPerfetto(machine.timeline()))) as PerfettoTrace };
}

const slicesOf = ({ traceEvents }: PerfettoTrace, title: string) => {
  const thread = traceEvents.find(({ name, args }) => name === 'thread_name' && args?.name === title);
  return traceEvents.filter(
    ({ ph, pid, tid }) => ph === 'X' && pid === thread?.pid && tid === thread?.tid && thread !== undefined,
  );
};

describe('a trace of tasks', () => {
  it('adds up on every unit to the time that the machine says it was busy', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('llada.cpp', 'llama.cpp-hexagon', 'llama.cpp-hexagon@2026-05', 'qnn', 'mnn-hexagon'),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 300 }),
        (stack, rows, context) => {
          const { timing, trace } = traced(stack, rows, context);
          for (const [unit, title] of Object.entries(TITLES) as [keyof typeof TITLES, string][]) {
            const slices = slicesOf(trace, title);
            const ms = slices.reduce((sum, { dur = 0 }) => sum + dur, 0) / 1e3;
            // Ends are rounded to a nanosecond.
            expect(Math.abs(ms - timing.busyMs[unit])).toBeLessThan(1e-6 * (slices.length + 1));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('says what tasks move and compute', () => {
    const { timing, trace } = traced('llama.cpp-hexagon', 35, 221);
    const sum = (title: string, key: string): number =>
      slicesOf(trace, title).reduce((all, { args }) => all + Number(args?.[key] ?? 0), 0);
    expect(sum('matrix unit', 'macs') / timing.counters.matrixMacs).toBeCloseTo(1, 3);
    // Activations that vector threads fetch themselves are part of their time, not of the queue's.
    expect(sum('DMA', 'bytes')).toBeGreaterThan(0.8 * timing.counters.dmaBytes);
    expect(sum('DMA', 'bytes')).toBeLessThanOrEqual(timing.counters.dmaBytes * 1.001);
  });

  it('gives bytes to tasks that move some, and to no others', () => {
    const { trace } = traced('llada.cpp', 32, 100);
    const bytes = (title: string) => slicesOf(trace, title).map(({ args }) => args?.bytes);
    expect(bytes('DMA').length).toBeGreaterThan(0);
    for (const moved of bytes('DMA')) expect(moved).toBeGreaterThan(0);
    expect(new Set(bytes('matrix unit'))).toEqual(new Set([undefined]));
  });

  it('numbers its tracks from the steps downwards, in the order in which they are shown', () => {
    const { trace } = traced('llada.cpp', 32, 100);
    const of = (name: string) => trace.traceEvents.filter((event) => event.name === name);
    const tids = of('thread_name').map(({ tid }) => tid);
    expect(tids.length).toBeGreaterThan(4);
    expect(tids).toEqual(tids.map((_, at) => at + 1));
    expect(of('thread_sort_index').map(({ args }) => args?.sort_index)).toEqual(tids.map((_, at) => at));
  });

  it('leads from DMA to the vector threads to the matrix unit, forward in time', () => {
    const { trace } = traced('llada.cpp', 32, 100);
    const starts = new Map(
      trace.traceEvents.filter(({ ph }) => ph === 's').map((event) => [event.id, event]),
    );
    const ends = trace.traceEvents.filter(({ ph }) => ph === 'f');
    expect(ends.length).toBe(starts.size);
    const titles = new Map(
      trace.traceEvents
        .filter(({ name }) => name === 'thread_name')
        .map(({ pid, tid, args }) => [`${pid}/${tid}`, args?.name]),
    );
    const ways = new Set<string>();
    for (const { id, ts = 0, pid, tid } of ends) {
      const start = starts.get(id);
      expect(start?.ts).toBeLessThanOrEqual(ts + 1e-9);
      ways.add(`${titles.get(`${start?.pid}/${start?.tid}`)} > ${titles.get(`${pid}/${tid}`)}`);
    }
    expect(ways).toContain('DMA > vector threads');
    expect(ways).toContain('vector threads > matrix unit');
    expect(ways).toContain('matrix unit > vector threads');
  });
});
