import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadProfile } from '../../../sim/hardware/load-profile.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { interpret } from '../../../sim/validation/interpret.js';
import { parsePublished } from '../../../sim/validation/published.js';
import { resolvePreset } from '../../../src/model/presets.js';

/** arXiv:2606.13740 Table 2: rows, CPU ms, NPU ms. */
const TABLE_2 = [
  [32, 4239.6, 478.1],
  [64, 7728.4, 861.6],
  [128, 14758.7, 1531.6],
] as const;

function stepMs(profile: string, stack: string, rows: number): number {
  const machine = openMachine({
    profile: loadProfile(profile),
    stack: stackByName(stack),
    shapes: resolvePreset('llada-8b'),
    quant: 'q4_0',
    memory: 'unlimited',
  });
  return machine.timePass({ rows, kvSets: [], logitsRows: rows, masked: false }).endMs;
}

describe('Table 2 of the paper', () => {
  it('is met within 25 % in every cell by sourced numbers, and within 3 % by the fitted ones', () => {
    for (const [rows, cpuMs, npuMs] of TABLE_2) {
      expect(Math.abs(stepMs('sm8750', 'cpu', rows) / cpuMs - 1)).toBeLessThan(0.25);
      expect(Math.abs(stepMs('sm8750', 'llada.cpp', rows) / npuMs - 1)).toBeLessThan(0.25);
      expect(Math.abs(stepMs('sm8750-fitted', 'cpu-fitted', rows) / cpuMs - 1)).toBeLessThan(0.03);
      expect(Math.abs(stepMs('sm8750-fitted', 'llada.cpp-fitted', rows) / npuMs - 1)).toBeLessThan(0.03);
    }
  });

  it('is fitted by numbers that say so, which no validation uses', () => {
    const fitted = Object.entries(loadProfile('sm8750-fitted').provenance).filter(
      ([, q]) => q.kind === 'fitted',
    );
    expect(fitted.map(([name]) => name).sort()).toEqual([
      'cpu.gemvQ4Rate',
      'driver.remoteCall',
      'npu.dmaRate',
    ]);
    const path = 'sim/validation/published-open.csv';
    for (const row of parsePublished(readFileSync(path, 'utf8'), path)) {
      const found = interpret(row);
      if ('case' in found)
        expect([...found.case.profiles, ...found.case.stacks].join()).not.toMatch(/fitted/);
    }
  });
});
