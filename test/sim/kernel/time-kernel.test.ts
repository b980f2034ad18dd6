import { describe, expect, it } from 'vitest';
import { parseKernel } from '../../../sim/kernel/parse.js';
import { checkOnNpu } from '../../../sim/kernel/placed.js';
import { timeKernel } from '../../../sim/kernel/time-kernel.js';
import { openChip } from '../../../sim/open-machine.js';

const phone = openChip({ profile: 'sm8750', stack: 'llama.cpp-hexagon' });

describe('one operator', () => {
  it('takes the host longer than the device, by parts that add up', () => {
    for (const name of ['MUL_MAT m2048 k2048 n1', 'FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256', 'ADD n2048 r1']) {
      const { deviceMs, callMs, parts } = timeKernel(name, phone);
      expect(callMs).toBeGreaterThan(deviceMs);
      expect(parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(callMs, 12);
    }
  });

  it('is refused where the stack runs it elsewhere', () => {
    const on = (stack: string) => openChip({ profile: 'sm8750', stack });
    expect(() => timeKernel('ADD n64 r1', on('cpu'))).toThrow(/runs nothing on an NPU/);
    expect(() => timeKernel('ADD n64 r1', on('gpu'))).toThrow(/runs nothing on an NPU/);
    const early = on('llama.cpp-hexagon@2025-10').stack;
    const asked = (name: string, stack: typeof early) => () => checkOnNpu(parseKernel(name), stack);
    expect(asked('FLASH_ATTN_EXT d64 h8 kv8 nq1 nkv64', early)).toThrow(/attention.*on the CPU/);
    expect(asked('MUL_MAT q6_k m64 k256 n1', early)).toThrow(/q6_k weights.*on the CPU/);
    expect(asked('MUL_MAT m151936 k1024 n1', phone.stack)).toThrow(/151936 rows.*on the CPU/);
    expect(asked('MUL_MAT m8192 k1024 n1', phone.stack)).not.toThrow();
  });

  it('is as long as the mean of the products of a layer', () => {
    const mean = timeKernel('llama-3.2-3b mean of the products of a layer r1', phone);
    const gate = timeKernel('llama-3.2-3b gate r1', phone);
    const value = timeKernel('llama-3.2-3b v r1', phone);
    expect(mean.deviceMs).toBeGreaterThan(value.deviceMs);
    expect(mean.deviceMs).toBeLessThan(gate.deviceMs);
  });
});
