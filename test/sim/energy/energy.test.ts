import { describe, expect, it } from 'vitest';
import { energyOf } from '../../../sim/energy/energy.js';
import { ENERGY_NUMBERS } from '../../../sim/energy/energy-numbers.js';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { isStepTiming, type StepTiming } from '../../../src/decode/method/timer.js';
import { resolvePreset } from '../../../src/model/presets.js';

const profile = loadProfile('sm8750');

function timings(stack: string, rows: number) {
  const machine = openMachine({
    profile,
    stack: stackByName(stack),
    shapes: resolvePreset('llada-8b'),
    memory: 'unlimited',
    quant: 'q4_0',
  });
  const shape = { rows, kvSets: [], logitsRows: rows, masked: false };
  return [machine.timePass(shape), machine.timePass(shape)];
}

describe('energy', () => {
  it('rests on assumed numbers with ranges, and says so', () => {
    for (const { kind, range } of Object.values(ENERGY_NUMBERS)) {
      expect(kind).toBe('assumed');
      expect(range).toBeDefined();
    }
  });

  it('adds up over parts and over steps, and lies in its range', () => {
    const steps = timings('llada.cpp', 32);
    const both = energyOf(steps, profile);
    const each = steps.map((step) => energyOf([step], profile).joules);
    expect(both.joules).toBeCloseTo(
      each.reduce((sum, joules) => sum + joules, 0),
      9,
    );
    expect(Object.values(both.parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(both.joules, 9);
    expect(both.range[0]).toBeLessThan(both.joules);
    expect(both.range[1]).toBeGreaterThan(both.joules);
  });

  it('is each state for as long as it lasts, and each byte and product once', () => {
    const busyMs = { vector: 20, driver: 5, cpu: 10 };
    const counters = { dispatches: 1, matrixMacs: 3e9, dramBytes: 2e9 };
    // A step of 40 ms that begins late: what was before it is not its own.
    const step = { startMs: 1000, endMs: 1040, busyMs, counters } as unknown as StepTiming;
    const cores = { ...profile, cpu: { ...profile.cpu, primeCores: 2, midCores: 6 } };
    const { joules, parts, range } = energyOf([step], cores);
    const [on, vector, mac, dram, prime, mid, driver] = (
      [
        'npuOnPower',
        'vectorPower',
        'macEnergy',
        'dramEnergy',
        'primeCorePower',
        'midCorePower',
        'driverPower',
      ] as const
    ).map((name) => ENERGY_NUMBERS[name]);
    const of = (pick: (number: typeof on) => number) => ({
      'npu on': pick(on) * 0.04,
      vector: pick(vector) * 0.02,
      matrix: pick(mac) * 3e-3,
      dram: pick(dram) * 2e-3,
      cpu: (2 * pick(prime) + 6 * pick(mid)) * 0.01,
      driver: pick(driver) * 0.005,
    });
    const sum = (of: Readonly<Record<string, number>>) => Object.values(of).reduce((a, b) => a + b, 0);
    const wanted = of(({ value }) => value);
    for (const [name, part] of Object.entries(wanted))
      expect(parts[name as keyof typeof parts], name).toBeCloseTo(part, 12);
    expect(joules).toBeCloseTo(sum(wanted), 12);
    expect(range[0]).toBeCloseTo(sum(of(({ range: ends }) => ends?.[0] ?? Number.NaN)), 12);
    expect(range[1]).toBeCloseTo(sum(of(({ range: ends }) => ends?.[1] ?? Number.NaN)), 12);
    const idle = { ...step, counters: { ...counters, dispatches: 0 } } as unknown as StepTiming;
    expect(energyOf([idle], cores).parts['npu on']).toBe(0);
  });

  it('is physical: a few watts, less per row on fuller tiles, and no NPU energy on the CPU stack', () => {
    const [step] = timings('llada.cpp', 32);
    if (step === undefined) throw new Error('no step');
    const { joules } = energyOf([step], profile);
    const watts = joules / ((step.endMs - step.startMs) / 1000);
    expect(watts).toBeGreaterThan(1);
    expect(watts).toBeLessThan(15);
    expect(energyOf(timings('llada.cpp', 1), profile).joules).toBeGreaterThan((2 * joules) / 32);
    const cpu = energyOf(timings('cpu', 32), profile).parts;
    expect([cpu['npu on'], cpu.vector, cpu.matrix, cpu.driver]).toEqual([0, 0, 0, 0]);
  });

  it('takes each term from a number that the type asks for: renamed or left out, it does not compile', () => {
    const [step] = timings('llada.cpp', 32);
    const joules = energyOf([step], profile).parts;
    const twice: [keyof typeof joules, StepTiming][] = [
      ['vector', { ...step, busyMs: { ...step.busyMs, vector: 2 * step.busyMs.vector } }],
      ['driver', { ...step, busyMs: { ...step.busyMs, driver: 2 * step.busyMs.driver } }],
      ['cpu', { ...step, busyMs: { ...step.busyMs, cpu: 2 * step.busyMs.cpu } }],
      ['matrix', { ...step, counters: { ...step.counters, matrixMacs: 2 * step.counters.matrixMacs } }],
      ['dram', { ...step, counters: { ...step.counters, dramBytes: 2 * step.counters.dramBytes } }],
    ];
    for (const [part, timing] of twice) {
      expect(joules[part], part).toBeGreaterThan(0);
      expect(energyOf([timing], profile).parts[part], part).toBeCloseTo(2 * joules[part], 9);
    }
    const { dramBytes, ...others } = step.counters;
    // @ts-expect-error a counter is missing
    const incomplete: StepTiming = { ...step, counters: others };
    // @ts-expect-error no counter is called that
    const renamed: StepTiming = { ...step, counters: { ...others, dramByteCount: dramBytes } };
    // @ts-expect-error a clock that knows only when a step began and ended
    const clock: StepTiming = { startMs: 0, endMs: 1, completed: [] };
    expect([incomplete, renamed, clock].map((timing) => isStepTiming(timing))).toEqual([true, true, false]);
  });
});
