import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName, stackNames } from '../../../sim/stacks/registry.js';
import { overrideStack } from '../../../sim/stacks/stack.js';
import { UsageError } from '../../../src/errors.js';
import { resolvePreset } from '../../../src/model/presets.js';

describe('software stacks', () => {
  it('give a source for every number and a range for every assumption', () => {
    for (const name of stackNames()) {
      const stack = stackByName(name);
      for (const [key, { value, source, kind, range }] of Object.entries(stack.provenance)) {
        expect(stack.numbers[key as keyof typeof stack.numbers], key).toBe(value);
        expect(source.length, key).toBeGreaterThan(3);
        if (kind === 'assumed') expect(range, key).toBeDefined();
      }
    }
  });

  it('can be swept: a faster head kernel only shortens the head', () => {
    const part = (stack = stackByName('llada.cpp')) => {
      const chip = {
        profile: loadProfile('sm8750'),
        shapes: resolvePreset('llada-8b'),
        quant: 'q4_0' as const,
      };
      const machine = openMachine({ ...chip, stack, memory: 'unlimited' });
      machine.timePass({ rows: 32, kvSets: [], logitsRows: 32, masked: false });
      const { ms, parts } = machine.stepBreakdown();
      const head = parts.find((candidate) => candidate.name === 'CPU head')?.ms ?? 0;
      return { head, rest: ms - head };
    };
    const fast = part(overrideStack(stackByName('llada.cpp'), { headSpeedup: '4' }));
    expect(fast.head).toBeCloseTo(part().head / 4, 1);
    expect(fast.rest).toBeCloseTo(part().rest, 6);
  });

  it('gain from matrix instructions on the CPU only where several rows share a decoded weight', () => {
    const ms = (rows: number, stack: string) => {
      const chip = { profile: loadProfile('sm8850'), shapes: resolvePreset('llama-3.2-1b') };
      const machine = openMachine({
        ...chip,
        quant: 'q4_0',
        memory: 'unlimited',
        stack: overrideStack(stackByName(stack), { gemmSpeedup: stack === 'cpu' ? '1' : '3' }),
      });
      machine.timePass({ rows, kvSets: [], logitsRows: 0, masked: false });
      return machine.stepBreakdown().ms;
    };
    expect(ms(128, 'cpu-gemm')).toBe(ms(128, 'mnn-cpu'));
    expect(ms(128, 'cpu') / ms(128, 'cpu-gemm')).toBeGreaterThan(2.5);
    expect(ms(128, 'cpu-gemm') / ms(1, 'cpu-gemm')).toBeLessThan(128 / 2.5);
  });

  it('refuses unknown numbers and wrong units', () => {
    const stack = stackByName('cpu');
    expect(() => overrideStack(stack, { cpuThread: '4' })).toThrow(UsageError);
    expect(() => overrideStack(stack, { cpuThread: '4' })).toThrow(/did you mean cpuThreads/);
    expect(() => overrideStack(stack, { cpuThreads: '4 us' })).toThrow(
      /cpuThreads: "4 us" must be a plain number/,
    );
    expect(() => overrideStack(stack, { slotBytes: '64' })).toThrow(/slotBytes: "64" has no unit/);
  });
});
