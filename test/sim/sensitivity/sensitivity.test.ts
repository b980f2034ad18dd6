import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import type { Chip } from '../../../sim/open-machine.js';
import { parametersOf, withValues } from '../../../sim/sensitivity/parameters.js';
import { oneAtATime, seededRandom, totalOrder } from '../../../sim/sensitivity/sensitivity.js';
import { stackByName } from '../../../sim/stacks/registry.js';

const chip: Chip = { profile: loadProfile('sm8750'), stack: stackByName('llada.cpp') };
const parameters = parametersOf(chip.profile, chip.stack);
const named = (...names: string[]) => parameters.filter(({ name }) => names.includes(name));

describe('parameters', () => {
  it('are the numbers with a range that were not measured', () => {
    const names = parameters.map(({ name }) => name);
    expect(names).toContain('npu.dmaLatency');
    expect(names).toContain('stack.cpuThreads');
    expect(names).not.toContain('npu.dmaRate');
    expect(parametersOf(chip.profile, chip.stack, true).map(({ name }) => name)).toContain('npu.dmaRate');
  });

  it('can all be set to both ends of their range, whatever the unit', () => {
    for (const parameter of parameters) {
      for (const end of parameter.range) {
        const { profile, stack } = withValues(chip, [[parameter, end]]);
        const set = { ...profile.provenance, ...prefixed(stack.provenance) }[parameter.name]?.value ?? 0;
        expect(set / end || 1, parameter.name).toBeCloseTo(1, 9);
      }
    }
  });
});

function prefixed<T>(record: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [`stack.${name}`, value]));
}

describe('sensitivity', () => {
  it('orders parameters by what they do alone', () => {
    const [first, second] = oneAtATime(chip, named('npu.clock', 'stack.cpuThreads'), (at) => {
      return at.profile.npu.clock + 100 * at.stack.numbers.cpuThreads;
    });
    expect(first).toMatchObject({ parameter: { name: 'stack.cpuThreads' } });
    expect(first?.swing).toBeGreaterThan(second?.swing ?? 0);
  });

  it('finds the indices of a function whose indices are known', () => {
    // f = x + 2 y with both uniform on [0, 1]: variances 1/12 and 4/12, so 0.2 and 0.8.
    const [a, b] = named('npu.dmaLatency', 'driver.mapFixed');
    if (a === undefined || b === undefined) throw new Error('missing parameters');
    const unit = (value: number, [low, high]: readonly [number, number]) => (value - low) / (high - low);
    const f = ({ profile }: Chip) =>
      unit(profile.npu.dmaLatency, a.range) + 2 * unit(profile.driver.mapFixed, b.range);
    const { indices, mean, deviation } = totalOrder(chip, [a, b], f, 1500, seededRandom(1));
    const of = (name: string) => indices.find(({ parameter }) => parameter.name === name)?.total ?? 0;
    expect(of('driver.mapFixed')).toBeCloseTo(0.8, 1);
    expect(of('npu.dmaLatency')).toBeCloseTo(0.2, 1);
    expect(mean).toBeCloseTo(1.5, 1);
    expect(deviation).toBeCloseTo(Math.sqrt(5 / 12), 1);
  });

  it('is 0 for a constant, and the same for the same seed', () => {
    const [a] = named('npu.dmaLatency');
    if (a === undefined) throw new Error('missing parameter');
    expect(totalOrder(chip, [a], () => 7, 10, seededRandom(1)).indices[0]?.total).toBe(0);
    const run = () => totalOrder(chip, [a], (at) => at.profile.npu.dmaLatency, 20, seededRandom(3));
    expect(run()).toEqual(run());
  });
});
