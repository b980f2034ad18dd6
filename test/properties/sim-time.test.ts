import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { overrideProfile } from '../../sim/hardware/load-profile.js';
import type { HardwareProfile } from '../../sim/hardware/schema.js';
import type { Machine } from '../../sim/machine/machine.js';
import { toPerfetto } from '../../sim/machine/perfetto.js';
import { busyOf, closedFormMs, type Pipeline, serialMs, toProgram } from '../../sim/machine/pipeline.js';
import { MOST_AFTER, type Program } from '../../sim/machine/program.js';
import { runProgram } from '../../sim/machine/run-program.js';
import { fasterSmallerWindow, NOTICEABLE, PARTS } from '../../sim/machine/smaller-window.js';
import { MEMORY_MODES, type MemoryMode } from '../../sim/memory/runtime.js';
import { machine as openMachine } from '../../sim/open-machine.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { RESOURCES } from '../../src/decode/method/timer.js';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { PassShape } from '../../src/pass/shape.js';
import { FASTER, pipelines, profileOf, RUNS, SLOWER, scenarios } from './sim-arbitraries.js';

/** Relative slack for sums taken in a different order. */
const EPSILON = 1e-9;
const atMost = (a: number, b: number): boolean => a <= b + EPSILON * Math.max(1, Math.abs(b));

const memories = fc.constantFrom(...MEMORY_MODES);
/** Scenario windows are sized for FP16 activations and a head on the CPU, so the others get one without limit. */
const runs: fc.Arbitrary<[string, MemoryMode]> = fc.oneof(
  fc.tuple(fc.constantFrom('llada.cpp', 'cpu'), memories),
  fc.tuple(fc.constantFrom('llama.cpp-hexagon', 'qnn'), fc.constant<MemoryMode>('unlimited')),
);

function machineOf(
  profile: HardwareProfile,
  model: ModelConfig,
  memory: MemoryMode,
  stack: string,
  record = false,
): Machine {
  return openMachine({
    profile,
    shapes: model,
    memory,
    quant: 'q4_0',
    record,
    stack: stackByName(stack),
  });
}

function endOf(machine: Machine, shapes: readonly PassShape[]): number {
  let endMs = 0;
  for (const shape of shapes) endMs = machine.timePass(shape).endMs;
  return endMs;
}

/** The second of two equal passes, or null where the window holds too little. */
function secondMs(
  profile: HardwareProfile,
  model: ModelConfig,
  memory: MemoryMode,
  shape: PassShape,
): number | null {
  try {
    const machine = machineOf(profile, model, memory, 'llada.cpp');
    machine.timePass(shape);
    const { startMs, endMs } = machine.timePass(shape);
    return endMs - startMs;
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

/** When tasks end by a queue of events: whenever one ends, every free unit looks whether the head of its queue may start. */
function endsByEvents({ units, ms, after, length }: Program): number[] {
  const ends = new Array<number>(length).fill(Number.POSITIVE_INFINITY);
  const started = new Set<number>();
  for (let nowMs = 0; ; ) {
    for (let unit = 0; unit < 4; unit++) {
      const own = units.flatMap((of, task) => (of === unit ? [task] : []));
      const head = own.find((task) => !started.has(task));
      const free = own.every((task) => !started.has(task) || ends[task]! <= nowMs);
      if (head === undefined || !free) continue;
      const before = after.slice(head * MOST_AFTER, (head + 1) * MOST_AFTER).filter((task) => task >= 0);
      if (before.some((task) => ends[task]! > nowMs)) continue;
      started.add(head);
      ends[head] = nowMs + ms[head]!;
    }
    const next = Math.min(...ends.filter((end) => end > nowMs));
    if (!Number.isFinite(next)) return ends;
    nowMs = next;
  }
}

describe('Time laws of one operator', () => {
  it('the walk in program order ends every task when a queue of events does', () => {
    fc.assert(
      fc.property(pipelines, (pipeline) => {
        const program = toProgram({ ...pipeline, fullChunks: Math.min(pipeline.fullChunks, 6) });
        expect([...runProgram(program).ends]).toEqual(endsByEvents(program));
      }),
      { numRuns: RUNS },
    );
  });

  it('serial sum >= event time >= the busiest unit, which is work over rate', () => {
    fc.assert(
      fc.property(pipelines, (pipeline) => {
        const result = runProgram(toProgram(pipeline));
        const busy = busyOf(pipeline);
        result.busyMs.forEach((ms, unit) => {
          expect(ms).toBeCloseTo(busy[unit] as number, 9);
        });
        expect(atMost(Math.max(...busy), result.ms)).toBe(true);
        expect(atMost(result.ms, serialMs(pipeline))).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('no stage made faster makes an operator slower', () => {
    const stages = ['loadMs', 'decodeMs', 'multiplyMs', 'finishMs', 'storeMs'] as const;
    fc.assert(
      fc.property(
        pipelines,
        fc.constantFrom(...stages),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (pipeline, stage, factor) => {
          const scaled = (cost: Pipeline['chunk']) => ({ ...cost, [stage]: cost[stage] * factor });
          const rest = pipeline.rest === null ? null : scaled(pipeline.rest);
          const faster = { ...pipeline, chunk: scaled(pipeline.chunk), rest };
          const before = runProgram(toProgram(pipeline)).ms;
          expect(atMost(runProgram(toProgram(faster)).ms, before)).toBe(true);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('a unit does one task at a time, and the spans hold all its busy time', () => {
    fc.assert(
      fc.property(pipelines, (pipeline) => {
        const { spans, busyMs } = runProgram(toProgram(pipeline), true);
        for (let unit = 0; unit < 4; unit++) {
          const own = spans.filter((span) => span.unit === unit);
          own.slice(1).forEach((span, at) => {
            expect(atMost(own[at]?.endMs ?? 0, span.startMs)).toBe(true);
          });
          const sum = own.reduce((total, span) => total + span.endMs - span.startMs, 0);
          expect(sum).toBeCloseTo(busyMs[unit as 0] as number, 9);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('the closed form is never below the busiest unit and never above the serial sum', () => {
    fc.assert(
      fc.property(pipelines, (pipeline) => {
        const ms = closedFormMs(pipeline);
        expect(atMost(Math.max(...busyOf(pipeline)), ms)).toBe(true);
        expect(atMost(ms, serialMs(pipeline) * (1 + EPSILON))).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('Time laws of a step', () => {
  it('no resource is over 100 % busy, and the breakdown adds up to the step', () => {
    fc.assert(
      fc.property(scenarios, runs, (scenario, [stack, memory]) => {
        const machine = machineOf(profileOf(scenario), scenario.model, memory, stack);
        for (const shape of scenario.shapes) {
          const timing = machine.timePass(shape);
          const ms = timing.endMs - timing.startMs;
          for (const name of RESOURCES) expect(atMost(timing.busyMs[name] ?? 0, ms), name).toBe(true);
          const breakdown = machine.stepBreakdown();
          const parts = breakdown.parts.reduce((sum, part) => sum + part.ms, 0);
          const critical = Object.values(breakdown.critical).reduce((sum, part) => sum + part, 0);
          expect(Math.abs(parts - ms)).toBeLessThan(1e-6 * Math.max(1, ms));
          expect(Math.abs(critical - ms)).toBeLessThan(1e-6 * Math.max(1, ms));
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('more bandwidth or throughput, or less overhead, never makes a run slower', () => {
    const knobs = fc.constantFrom(...Object.keys(FASTER), ...Object.keys(SLOWER));
    const factors = fc.double({ min: 1, max: 4, noNaN: true });
    fc.assert(
      fc.property(scenarios, runs, knobs, factors, (scenario, [stack, memory], path, factor) => {
        const profile = profileOf(scenario);
        const number = Number.parseFloat(profile.provenance[path]?.text ?? '');
        const changed = FASTER[path] === undefined ? number / factor : number * factor;
        const unit = (FASTER[path] ?? SLOWER[path])?.unit ?? '';
        const better = overrideProfile(profile, { [path]: `${changed.toFixed(9)} ${unit}` });
        const before = endOf(machineOf(profile, scenario.model, memory, stack), scenario.shapes);
        const after = endOf(machineOf(better, scenario.model, memory, stack), scenario.shapes);
        expect(after).toBeLessThanOrEqual(before * (1 + 1e-6));
      }),
      { numRuns: RUNS },
    );
  });

  it('same inputs, same timeline, byte for byte', () => {
    fc.assert(
      fc.property(scenarios, memories, (scenario, memory) => {
        const record = (): string => {
          const machine = machineOf(profileOf(scenario), scenario.model, memory, 'llada.cpp', true);
          endOf(machine, scenario.shapes);
          return JSON.stringify(toPerfetto(machine.timeline()));
        };
        expect(record()).toBe(record());
      }),
      { numRuns: RUNS },
    );
  });

  it('a pass takes the same time whatever ran before', () => {
    const stacks = fc.constantFrom('llada.cpp', 'cpu', 'llama.cpp-hexagon', 'qnn');
    fc.assert(
      fc.property(scenarios, stacks, (scenario, stack) => {
        const fresh = () => machineOf(profileOf(scenario), scenario.model, 'unlimited', stack);
        const used = fresh();
        for (const shape of scenario.shapes) {
          const { startMs, endMs } = used.timePass(shape);
          expect(endMs - startMs).toBeCloseTo(fresh().timePass(shape).endMs, 9);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('work does not depend on where weights live', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const work = MEMORY_MODES.map((memory) => {
          const machine = machineOf(profileOf(scenario), scenario.model, memory, 'llada.cpp');
          return scenario.shapes.map((shape) => {
            const { matrixMacs, usefulMacs, dmaBytes, dispatches } = machine.timePass(shape).counters;
            return { matrixMacs, usefulMacs, dmaBytes, dispatches };
          });
        });
        for (const other of work.slice(1)) expect(other).toEqual(work[0]);
      }),
      { numRuns: RUNS },
    );
  });

  it('a window with limits is never faster than one without', () => {
    fc.assert(
      fc.property(scenarios, memories, (scenario, memory) => {
        const profile = profileOf(scenario);
        const free = endOf(machineOf(profile, scenario.model, 'unlimited', 'llada.cpp'), scenario.shapes);
        const limited = endOf(machineOf(profile, scenario.model, memory, 'llada.cpp'), scenario.shapes);
        expect(atMost(free, limited)).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('a larger window is as fast as a smaller one, or the anomaly is reported', () => {
    const parts = fc.integer({ min: 1, max: PARTS - 1 });
    fc.assert(
      fc.property(scenarios, memories, parts, (scenario, memory, part) => {
        const [shape] = scenario.shapes as [PassShape];
        const whole = profileOf(scenario);
        const bytes = Math.floor((whole.window.bytes * part) / PARTS);
        const smaller = { ...whole, window: { ...whole.window, bytes } };
        const machine = machineOf(whole, scenario.model, memory, 'llada.cpp');
        machine.timePass(shape);
        const timing = machine.timePass(shape);
        const ms = timing.endMs - timing.startMs;
        const smallerMs = secondMs(smaller, scenario.model, memory, shape);
        if (smallerMs === null || ms <= smallerMs) return;
        const reported = fasterSmallerWindow(machine, shape, timing);
        if (ms * (1 - NOTICEABLE) > smallerMs) expect(reported?.ms).toBeLessThanOrEqual(smallerMs);
        else expect(ms).toBeLessThanOrEqual(smallerMs / (1 - NOTICEABLE));
      }),
      { numRuns: RUNS },
    );
  });

  it('a window that holds everything is as fast as one without limits', () => {
    fc.assert(
      fc.property(scenarios, memories, (scenario, memory) => {
        const wide = overrideProfile(profileOf(scenario), { 'window.bytes': '3 GB' });
        const free = endOf(machineOf(wide, scenario.model, 'unlimited', 'llada.cpp'), scenario.shapes);
        const limited = endOf(machineOf(wide, scenario.model, memory, 'llada.cpp'), scenario.shapes);
        const first = scenario.shapes[0];
        const grows = scenario.shapes.some(
          (shape) => first !== undefined && tokensOf(shape) > tokensOf(first),
        );
        // Only a KV cache that grows is mapped again.
        if (memory !== 'unlimited' && grows) expect(atMost(free, limited)).toBe(true);
        else expect(limited).toBeCloseTo(free, 9);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Positions the KV cache is sized for. */
function tokensOf(shape: PassShape): number {
  const cached = shape.kvSets.reduce((sum, set) => sum + set.length, 0);
  return Math.ceil((shape.rows + cached) / 256) * 256;
}
