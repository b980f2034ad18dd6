import { describe, expect, it } from 'vitest';
import { energyOf } from '../../../sim/energy/energy.js';
import { ENERGY_NUMBERS } from '../../../sim/energy/energy-numbers.js';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
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
});
