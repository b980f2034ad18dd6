import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { toPerfetto } from '../../../sim/machine/perfetto.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { type MachineSettings, machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName, stackNames } from '../../../sim/stacks/registry.js';
import { UsageError } from '../../../src/errors.js';
import { graphFor } from '../../../src/model/graph-cache.js';
import { precisionFor } from '../../../src/model/precision.js';
import { resolvePreset } from '../../../src/model/presets.js';
import type { Pass, StepPlan } from '../../../src/pass/pass.js';
import { passShape } from '../../../src/pass/shape.js';

const profile = loadProfile('sm8750');

function machineFor(overrides: Partial<MachineSettings> & { stackName?: string } = {}): Machine {
  const { stackName = 'llada.cpp', ...rest } = overrides;
  return openMachine({
    profile,
    shapes: resolvePreset('llada-8b'),
    quant: 'q4_0',
    memory: 'unlimited',
    stack: stackByName(stackName),
    ...rest,
  });
}

function stepMs(machine: Machine, rows: number, logitsRows = rows): number {
  const { startMs, endMs } = machine.timePass({ rows, kvSets: [], logitsRows, masked: false });
  return endMs - startMs;
}

/** Time of one layer's FFN-down on the NPU. */
function ffnDownMs(rows: number): number {
  const machine = machineFor();
  stepMs(machine, rows);
  const part = machine.stepBreakdown().parts.find((candidate) => candidate.name === 'NPU down');
  return (part?.ms ?? 0) / 32;
}

describe('the paper, arXiv:2606.13740, predicted from figures that were not fitted to it', () => {
  it.each([
    [32, 478.1],
    [64, 861.6],
    [128, 1531.6],
  ])('Table 2, NPU step of %i tokens takes %d ms, within a quarter', (rows, published) => {
    expect(Math.abs(stepMs(machineFor(), rows) / published - 1)).toBeLessThan(0.25);
  });

  it.each([
    [32, 4239.6],
    [64, 7728.4],
    [128, 14758.7],
  ])('Table 2, CPU step of %i tokens takes %d ms, within a quarter', (rows, published) => {
    expect(Math.abs(stepMs(machineFor({ stackName: 'cpu' }), rows) / published - 1)).toBeLessThan(0.25);
  });

  it('Fig. 3a: FFN-down is flat within a tile and jumps at 33, 65 and 97 tokens', () => {
    for (const tiles of [1, 2, 3]) {
      const last = ffnDownMs(32 * tiles);
      expect(ffnDownMs(32 * tiles - 31) / last).toBeGreaterThan(0.95);
      expect(ffnDownMs(32 * tiles + 1) / last).toBeGreaterThan(1 + 0.8 / tiles);
    }
  });

  it('Fig. 3a: the staircase starts near zero, so each tile repeats all of the work', () => {
    const [one, four] = [ffnDownMs(32), ffnDownMs(128)];
    const perTile = (four - one) / 3;
    expect(Math.abs(one - perTile) / perTile).toBeLessThan(0.1);
  });

  it('Fig. 3b: 32 tokens in groups of g cost 32 / g times one tile', () => {
    const whole = ffnDownMs(32);
    for (const group of [1, 2, 4, 8, 16]) {
      const rounds = 32 / group;
      const ratio = (rounds * ffnDownMs(group)) / whole / rounds;
      expect(ratio).toBeGreaterThan(0.95);
      expect(ratio).toBeLessThanOrEqual(1);
    }
  });

  it('Fig. 3a: the CPU is linear in tokens', () => {
    const at = [32, 64, 96, 128].map((rows) => stepMs(machineFor({ stackName: 'cpu' }), rows));
    const steps = at.slice(1).map((ms, index) => ms - (at[index] as number));
    for (const step of steps) expect(step / (steps[0] as number)).toBeCloseTo(1, 1);
  });
});

const row = (position: number) => ({ position, feed: 7 });
const reads = Array.from({ length: 80 }, (_, position) => ({ position, version: 0 }));

function pass(id: string, lane: Pass['lane'], rows: number): Pass {
  return {
    id,
    lane,
    kind: lane === 'main' ? ('denoise' as const) : ('refresh' as const),
    version: 1,
    rows: Array.from({ length: rows }, (_, at) => row(80 + at)),
    reads,
    visibility: 'all' as const,
    logits: Array.from({ length: rows }, (_, at) => at),
  };
}

const plan = (step: number, sides: number): StepPlan => ({
  step,
  block: 0,
  passes: [
    pass(`${step}.0`, 'main', 32),
    ...Array.from({ length: sides }, (_, at) => pass(`${step}.${at + 1}`, 'side', 1)),
  ],
});

describe('co-execution', () => {
  it('a refresh finishes when it finishes, possibly steps later, and does not delay the main path', () => {
    const alone = machineFor();
    const withSide = machineFor();
    const completed: string[][] = [];
    for (let step = 0; step < 6; step++) {
      const main = alone.time(plan(step, 0));
      const both = withSide.time(plan(step, step === 0 ? 6 : 0));
      expect(both.endMs).toBeCloseTo(main.endMs, 9);
      completed.push([...both.completed]);
      if (step === 0) expect(both.busyMs.cpu).toBeGreaterThan(main.busyMs.cpu ?? 0);
    }
    expect(completed.flat()).toEqual(['0.1', '0.2', '0.3', '0.4', '0.5', '0.6']);
    expect(completed[0]?.length).toBeGreaterThan(0);
    expect(completed[0]?.length).toBeLessThan(6);
  });

  it('counts the DRAM bytes and the DRAM time of refreshes, each refresh whole', () => {
    const alone = machineFor();
    const withSide = machineFor();
    let bytes = 0;
    for (let step = 0; step < 6; step++) {
      const main = alone.time(plan(step, 0));
      const both = withSide.time(plan(step, step === 0 ? 6 : 0));
      const extra = both.counters.dramBytes - main.counters.dramBytes;
      bytes += extra;
      const ms = both.busyMs.dram - main.busyMs.dram;
      expect(ms * ratesOf(profile, false).dramBytesPerMs).toBeCloseTo(extra, 0);
    }
    // Six passes of one row, each operand of every operator once.
    const shape = passShape(pass('0.1', 'side', 1));
    const graph = graphFor(resolvePreset('llada-8b'), shape, precisionFor('q4_0'));
    const sizeOf = (id: string) => graph.tensors.get(id)?.bytes ?? 0;
    const weights = new Set(graph.ops.flatMap((op) => op.weights));
    const least =
      6 * [...weights].filter((id) => !id.includes('embd')).reduce((sum, id) => sum + sizeOf(id), 0);
    expect(bytes).toBeGreaterThan(0.9 * least);
    expect(bytes).toBeLessThan(1.2 * least);
  });

  it('head rows cost CPU time, stable rows do not', () => {
    const all = stepMs(machineFor(), 32, 32);
    const few = stepMs(machineFor(), 32, 8);
    const none = stepMs(machineFor(), 32, 1);
    expect(few).toBeLessThan(all);
    expect((all - none) / (all - few)).toBeCloseTo(31 / 24, 1);
  });

  it('counts padded rows as waste', () => {
    const timing = machineFor().timePass({ rows: 33, kvSets: [], logitsRows: 1, masked: false });
    expect(timing.counters.usefulRowFraction).toBe(33 / 64);
    expect((timing.counters.usefulMacs ?? 0) / (timing.counters.matrixMacs ?? 1)).toBeLessThan(
      33 / 64 + 0.01,
    );
  });

  it('reset gives the same decode again', () => {
    const machine = machineFor({ memory: 'somr', record: true });
    const run = () => {
      const timings = [0, 1, 2].map((step) => machine.time(plan(step, 1)));
      return JSON.stringify([timings, toPerfetto(machine.timeline())]);
    };
    const first = run();
    machine.reset();
    expect(run()).toBe(first);
  });
});

describe('timeline', () => {
  it('shows each unit as busy for as long as the step says', () => {
    const shapes = { ...resolvePreset('llada-8b'), layers: 2 };
    for (const memory of ['on-demand', 'somr'] as const) {
      const machine = machineFor({ memory, record: 'op', shapes });
      const { busyMs } = machine.timePass({ rows: 40, kvSets: [], logitsRows: 8, masked: false });
      for (const unit of ['matrix', 'vector', 'dma', 'l2', 'driver'] as const) {
        const spans = machine.timeline().spans.filter(({ track }) => track === unit);
        const shown = spans.reduce((sum, span) => sum + (span.busyMs ?? 0), 0);
        expect(shown, unit).toBeGreaterThan(0);
        expect(busyMs[unit], unit).toBeCloseTo(shown, 9);
      }
    }
  });

  it('exports slices that nest: no two on a track overlap', () => {
    for (const record of ['op', 'chunk'] as const) {
      const shapes = { ...resolvePreset('llada-8b'), layers: 2 };
      const machine = machineFor({ memory: 'on-demand', record, shapes });
      for (let step = 0; step < 3; step++) machine.time(plan(step, 1));
      const trace = toPerfetto(machine.timeline());
      const tracks = new Map<string, { ts: number; end: number }[]>();
      for (const event of trace.traceEvents) {
        if (event.ph !== 'X') continue;
        const key = `${event.pid}/${event.tid}`;
        const ts = event.ts ?? -1;
        tracks.set(key, [...(tracks.get(key) ?? []), { ts, end: ts + (event.dur ?? 0) }]);
      }
      expect(tracks.size).toBeGreaterThanOrEqual(7);
      for (const slices of tracks.values()) {
        slices.sort((a, b) => a.ts - b.ts);
        slices.slice(1).forEach((slice, at) => {
          expect(slice.ts).toBeGreaterThanOrEqual((slices[at]?.end ?? 0) - 1e-6);
        });
      }
    }
  });

  it('is what trace viewers take without a warning: names first, events by time, slices of some length', () => {
    const machine = machineFor({ record: true, memory: 'somr' });
    for (let step = 0; step < 3; step++) machine.time(plan(step, 1));
    const { traceEvents } = toPerfetto(machine.timeline());
    const firstEvent = traceEvents.findIndex(({ ph }) => ph !== 'M');
    expect(traceEvents.slice(firstEvent).every(({ ph }) => ph !== 'M')).toBe(true);
    const processes = traceEvents.filter(({ name }) => name === 'process_name').map(({ pid }) => pid);
    const used = new Set<string>();
    let before = 0;
    for (const { ph, pid, tid, ts = -1, dur = -1, args = {} } of traceEvents.slice(firstEvent)) {
      expect(processes).toContain(pid);
      expect(ts).toBeGreaterThanOrEqual(before);
      before = ts;
      if (ph === 'X') {
        expect(dur).toBeGreaterThan(0);
        used.add(`${pid}/${tid}`);
      } else {
        expect(ph).toBe('C');
        expect(Object.values(args).every((value) => Number.isFinite(value))).toBe(true);
      }
    }
    const threads = traceEvents.filter(({ name }) => name === 'thread_name');
    expect(new Set(threads.map(({ pid, tid }) => `${pid}/${tid}`))).toEqual(used);
    expect(used.size).toBe(threads.length);
  });

  it('names every track and is plain JSON', () => {
    const machine = machineFor({ record: true, memory: 'somr' });
    machine.time(plan(0, 1));
    const trace = toPerfetto(machine.timeline());
    const named = new Set(
      trace.traceEvents.filter((e) => e.name === 'thread_name').map((e) => `${e.pid}/${e.tid}`),
    );
    for (const event of trace.traceEvents)
      if (event.ph === 'X') expect(named.has(`${event.pid}/${event.tid}`)).toBe(true);
    expect(JSON.parse(JSON.stringify(trace))).toEqual(trace);
  });

  it('records nothing unless asked', () => {
    const machine = machineFor();
    machine.time(plan(0, 1));
    expect(machine.timeline().spans).toEqual([]);
  });
});

describe('bad input', () => {
  it('names close stacks', () => {
    expect(() => stackByName('lada.cpp')).toThrow(UsageError);
    expect(() => stackByName('lada.cpp')).toThrow(/did you mean llada\.cpp/);
  });
});

describe('reset', () => {
  it('is a new machine, whatever was timed before', () => {
    const shape = (rows: number) => ({ rows, kvSets: [], logitsRows: rows, masked: false });
    for (const stackName of stackNames()) {
      for (const memory of ['on-demand', 'somr'] as const) {
        const shapes = { ...resolvePreset('llada-8b'), layers: 20 };
        const used = machineFor({ stackName, memory, shapes });
        // nntrainer leaves one row to the CPU: no weights on the NPU, but those of 32 rows are.
        used.timePass(shape(1));
        used.reset();
        expect(used.timePass(shape(32)), stackName).toEqual(
          machineFor({ stackName, memory, shapes }).timePass(shape(32)),
        );
      }
    }
  });
});
