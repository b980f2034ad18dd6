import { describe, expect, it } from 'vitest';
import { loweredKernel } from '../../../sim/kernel/lowered.js';
import { parseKernel } from '../../../sim/kernel/parse.js';
import { checkOnNpu } from '../../../sim/kernel/placed.js';
import { timeKernel } from '../../../sim/kernel/time-kernel.js';
import { ratesOf } from '../../../sim/machine/rates.js';
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

describe('formats of elements', () => {
  const { stack, profile } = phone;
  const context = { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
  const bytes = (name: string): number => {
    const spec = parseKernel(name);
    if (spec.kind === 'layer-products') throw new Error(name);
    const { dmaBytes, l2Bytes } = loweredKernel(spec, context);
    return dmaBytes + l2Bytes;
  };

  it('are those of the name, and F32 where it says none', () => {
    const each = 4096 * 35;
    expect(bytes('ADD n4096 r35')).toBe(3 * 4 * each);
    expect(bytes('ADD f16 n4096 r35')).toBe(3 * 2 * each);
    expect(bytes('MUL(type=f16,ne=[4096,35,1,1],nr=[1,1,1,1],nf=1)')).toBe(3 * 2 * each);
    expect(bytes('CPY(type_src=f32,type_dst=f16,ne=[4096,35,1,1])')).toBe(6 * each);
    expect(bytes('CPY f16->f32 [4096,35]')).toBe(6 * each);
    expect(bytes('CONT(type=f16,ne=[4096,35,1,1])')).toBe(4 * each);
    expect(bytes('RMS_NORM(type=f16,ne=[4096,35,1,1],eps=1e-6)')).toBe(4 * each);
    expect(bytes('ROPE(type=f16,ne_a=[128,32,35,1],n_dims=128)')).toBe(4 * each);
    expect(bytes('SUM_ROWS f32 n4096 r35')).toBe(4 * each + 4 * 35);
  });

  it('of a table and of a cache are not those of what is gathered and written', () => {
    const each = 1024 * 8;
    expect(bytes('GET_ROWS n1024 r8')).toBe(8 * each);
    expect(bytes('GET_ROWS(type=f16,n=1024,m=32000,r=8,be1=1,be2=1,v=0)')).toBe(6 * each);
    expect(bytes('GET_ROWS(type=q8_0,n=1024,m=32000,r=4,be1=2,be2=1,v=0)')).toBe((34 / 32 + 4) * each);
    expect(bytes('SET_ROWS n1024 r8')).toBe(6 * each);
    expect(bytes('SET_ROWS(type=f16,type_idx=i64,ne=[1024,64,1,1],nr23=[1,1],r=8,v=0)')).toBe(6 * each);
    expect(bytes('SET_ROWS(type=f32,type_idx=i32,ne=[1024,64,2,1],nr23=[2,1],r=2,v=0)')).toBe(8 * each);
    expect(bytes('SET_ROWS(type=q8_0,type_idx=i64,ne=[1024,64,1,1],nr23=[1,1],r=8,v=0)')).toBe(
      (4 + 34 / 32) * each,
    );
  });

  it('of a mask count beside those of the scores, once for heads that share it', () => {
    const scores = 256 * 35 * 32;
    const plain = 'SOFT_MAX(type=f32,ne=[256,35,32,1],mask=0,nr23=[1,1])';
    expect(bytes(plain)).toBe(8 * scores);
    expect(bytes(plain.replace('mask=0', 'mask=1,m_prec=f32'))).toBeCloseTo(12 * scores, 6);
    expect(bytes(plain.replace('mask=0', 'mask=1,m_prec=f16'))).toBeCloseTo(10 * scores, 6);
    expect(bytes('SOFT_MAX(type=f32,ne=[256,35,8,1],mask=1,m_prec=f16,nr23=[4,1])')).toBeCloseTo(
      8.5 * scores,
      6,
    );
    expect(bytes('SOFT_MAX [256,35,32] mask f16')).toBeCloseTo(8 * scores + 2 * 256 * 35, 6);
  });

  it('of attention are F16 for keys, values and mask, F32 for queries and result', () => {
    // One row of 32 heads on vector threads: keys, values and mask for each head.
    const row = 'FLASH_ATTN_EXT d64 h32 kv8 nq1 nkv256';
    expect(bytes(row)).toBe(32 * (256 * (2 * 64 + 1) * 2 + 2 * 64 * 4));
    // 35 rows on the matrix unit: keys and values for each of 8 KV heads and two blocks of rows, and the mask for each head.
    expect(bytes('FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256')).toBe(
      8 * 256 * (2 * 2 * 64 + 35) * 2 + 35 * 32 * 64 * 2 * 4,
    );
  });

  it('of rows that meet a weight may be F16', () => {
    const product = (type: string) => bytes(`MUL_MAT(type_a=q4_0,type_b=${type},m=4096,n=64,k=2048)`);
    expect(product('f32') - product('f16')).toBe(64 * 2048 * 2);
  });

  it('that no kernel has are refused', () => {
    expect(() => parseKernel('ADD q4_0 n4096 r1')).toThrow(/ADD of q4_0 elements is not modelled/);
    const asked = (name: string, date = '') => {
      const { stack } = openChip({ profile: 'sm8750', stack: `llama.cpp-hexagon${date}` });
      return () => checkOnNpu(parseKernel(name), stack);
    };
    expect(asked('ROPE f16 d64 h32 r1')).toThrow(/ROPE from f16 to f16 on the NPU: it runs on the CPU/);
    expect(asked('ADD f16 n64 r1')).not.toThrow();
    expect(asked('ADD f16 n64 r1', '@2026-02')).toThrow(/on the CPU/);
    expect(asked('RMS_NORM f16 n64 r1')).not.toThrow();
    expect(asked('RMS_NORM f16 n64 r1', '@2026-06')).toThrow(/on the CPU/);
    expect(asked('CPY f32->f16 [64,2]', '@2026-01')).not.toThrow();
    expect(asked('SET_ROWS n64 r1', '@2026-02')).not.toThrow();
    expect(asked('GET_ROWS f16 n64 r1', '@2026-05')).toThrow(/on the CPU/);
  });
});
