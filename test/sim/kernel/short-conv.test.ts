import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KERNEL_NAMES, parseKernel } from '../../../sim/kernel/parse.js';
import { timeKernel } from '../../../sim/kernel/time-kernel.js';
import { ROW_OPERATORS } from '../../../sim/machine/lower/row-operator.js';
import { machine, openChip } from '../../../sim/open-machine.js';
import { interpret } from '../../../sim/validation/interpret.js';
import { timeDecode } from '../../../sim/workload/workload.js';
import { resolvePreset } from '../../../src/model/presets.js';

const phone = openChip({ profile: 'sm8750', stack: 'llama.cpp-hexagon' });
const us = (name: string): number => 1000 * timeKernel(name, phone).deviceMs;

describe('the operators of a short convolution', () => {
  it('are read in channels, taps and positions', () => {
    expect(parseKernel('SSM_CONV n2048 k3 r35')).toEqual({ kind: 'conv', channels: 2048, taps: 3, rows: 35 });
    expect(parseKernel('CONCAT n2048 k3', { rows: 2 })).toEqual({
      kind: 'concat',
      channels: 2048,
      taps: 3,
      rows: 2,
    });
    expect(parseKernel('SSM_CONV n64 r1')).toMatchObject({ taps: 4 });
    expect(() => parseKernel('SSM_CONV n2048')).toThrow(/number of positions \(r1\) is not stated/);
    expect(() => parseKernel('CONCAT r1')).toThrow(/number of channels \(n2048\) is not stated/);
  });

  it('cost more with more channels and positions, and a transpose with three taps', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('SSM_CONV', 'CONCAT'),
        fc.integer({ min: 8, max: 256 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 2, max: 6 }),
        (name, blocks, rows, taps) => {
          const at = (n: number, r: number): number => us(`${name} n${n} k${taps} r${r}`);
          const here = at(blocks * 32, rows);
          expect(at(blocks * 64, rows)).toBeGreaterThanOrEqual(here);
          expect(at(blocks * 32, 2 * rows + 1)).toBeGreaterThan(0);
          expect(here).toBeGreaterThan(0);
        },
      ),
      { numRuns: 40 },
    );
    expect(us('SSM_CONV n2048 k3 r1')).toBeGreaterThan(us('SSM_CONV n2048 k4 r1'));
    expect(us('CONCAT n2048 k3 r64')).toBeGreaterThan(us('CONCAT n2048 k3 r1'));
  });

  it('are what the mixer of LFM2 takes on the NPU, with both gates and the state kept', () => {
    const timed = machine({
      ...phone,
      shapes: resolvePreset('lfm2-1.2b'),
      quant: 'q4_0',
      memory: 'unlimited',
    });
    timeDecode(timed, 256);
    const found = timed.stepBreakdown().parts.find(({ name }) => name === 'NPU state-mix');
    const parts = us('SSM_CONV n2048 k3 r1') + us('CONCAT n2048 k3 r1') + 2 * us('MUL n2048 r1');
    // Ten layers; the copy of the state is the rest.
    expect(found?.ms).toBeGreaterThan((10 * parts) / 1000);
    expect(found?.ms).toBeLessThan((10 * parts * 1.6) / 1000);
  });
});

describe('operators by name', () => {
  it('are all timed', () => {
    for (const operator of ROW_OPERATORS) {
      expect(parseKernel(`${operator} n256 r4`), operator).toMatchObject({ kind: 'rows', operator });
      for (const stack of ['llama.cpp-hexagon', 'qnn'])
        expect(
          timeKernel(`${operator} n256 r4`, openChip({ profile: 'sm8750', stack })).deviceMs,
        ).toBeGreaterThan(0);
    }
    expect(new Set(KERNEL_NAMES).size).toBe(KERNEL_NAMES.length);
    expect(us('SUM_ROWS n4096 r64')).toBeLessThan(us('SQR n4096 r64'));
  });

  it('are refused by name where their loops were not counted, whatever they look like', () => {
    for (const name of [
      'GATED_DELTA_NET 128x16x1',
      'ARGSORT n256 r1',
      'SOLVE_TRI 64x64x16',
      'IM2COL m8 k8 n8',
    ]) {
      const [operator] = name.split(' ');
      expect(() => parseKernel(name), name).toThrow(`operator ${operator} is not modelled`);
    }
    const row = {
      id: 'X',
      device: '',
      soc: 'SM8750',
      npu_arch: 'v79',
      model: 'SSM_CONV n2048 k3 r1',
      params_b: '',
      quant: 'Q4_0',
      engine: 'llama.cpp-hexagon',
      phase: 'trace',
      batch_or_tokens: '1',
      context: '',
      metric: 'latency',
      value: 10,
      unit: 'us',
      source: 'a test',
    };
    const found = interpret(row);
    expect('case' in found && found.case.work.kind).toBe('kernel');
  });
});
