import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../sim/hardware/load-profile.js';
import { type MachineSettings, machine } from '../../sim/open-machine.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { denoisingShape } from '../../sim/workload/steady-step.js';
import { resolvePreset } from '../../src/model/presets.js';

const settings: MachineSettings = {
  profile: 'sm8750',
  stack: 'llada.cpp',
  shapes: resolvePreset('llada-8b'),
  quant: 'q4_0',
  memory: 'somr',
};

const stepMs = (changes: Partial<MachineSettings>): number => {
  const { startMs, endMs } = machine({ ...settings, ...changes }).timePass(denoisingShape(32, 64));
  return endMs - startMs;
};

describe('machine', () => {
  it('takes names, paths and objects for the same chip', () => {
    const base = stepMs({});
    expect(stepMs({ profile: 'sim/hardware/profiles/sm8750.json' })).toBe(base);
    expect(stepMs({ profile: loadProfile('sm8750'), stack: stackByName('llada.cpp') })).toBe(base);
  });

  it('sets numbers of profile and stack, in base units or as text', () => {
    const set = (values: MachineSettings['set']): number => stepMs({ set: values });
    expect(set({ 'profile.npu.dmaRate': '16 GB/s', 'profile.npu.dmaRateBesideMatrix': 16 })).toBe(
      set({ 'profile.npu.dmaRate': 16, 'profile.npu.dmaRateBesideMatrix': '16000 MB/s' }),
    );
    const { profile, stack } = machine({
      ...settings,
      set: { 'stack.cpuThreads': 4, 'profile.window.bytes': '2 GiB' },
    }).options;
    expect(stack.numbers.cpuThreads).toBe(4);
    expect(stack.provenance.cpuThreads.source).toBe('override');
    expect(profile.window.bytes).toBe(2 ** 31);
  });

  it('keeps what an object says, set or not', () => {
    const profile = loadProfile('sm8750');
    const smaller = { ...profile, window: { ...profile.window, bytes: 2 ** 31 } };
    expect(machine({ ...settings, profile: smaller }).options.profile.window.bytes).toBe(2 ** 31);
    const set = { 'profile.npu.dmaRate': 20 };
    const { window, npu } = machine({ ...settings, profile: smaller, set }).options.profile;
    expect([window.bytes, npu.dmaRate]).toEqual([2 ** 31, 20]);
  });

  it('says what a wrong name should have been', () => {
    expect(() => machine({ ...settings, set: { 'stack.cpuThread': 4 } })).toThrow(/stack\.cpuThreads/);
    expect(() => machine({ ...settings, set: { 'npu.dmaRate': 4 } })).toThrow(/profile\.npu\.dmaRate/);
    expect(() => machine({ ...settings, stack: 'lada.cpp' })).toThrow(/llada\.cpp/);
    expect(() => machine({ ...settings, profile: 'sm875' })).toThrow(/sm8750/);
    expect(() => machine({ ...settings, memory: 'some' as 'somr' })).toThrow(/did you mean somr/);
    expect(() => machine({ ...settings, quant: 'q4' as 'q4_0' })).toThrow(/q4_0/);
    expect(() => machine({ ...settings, set: { 'profile.npu.dmaRate': '3 ms' } })).toThrow(/dimension/);
  });
});
