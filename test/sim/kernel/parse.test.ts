import { describe, expect, it } from 'vitest';
import { parseKernel } from '../../../sim/kernel/parse.js';
import { UsageError } from '../../../src/errors.js';

const product = { kind: 'product', weights: 'q4_0', adds: false } as const;

describe('an operator from its name', () => {
  it('products in ggml order, fused, and in BLAS order', () => {
    expect(parseKernel('MUL_MAT m6144 k2048 n742')).toEqual({
      ...product,
      rows: 742,
      inWidth: 2048,
      outWidths: [6144],
    });
    expect(parseKernel('MUL_MAT+ADD m2048 k8192 n2')).toEqual({
      ...product,
      rows: 2,
      inWidth: 8192,
      outWidths: [2048],
      adds: true,
    });
    expect(parseKernel('MUL_MAT+MUL_MAT m8192 k2048 n1')).toMatchObject({ outWidths: [8192, 8192] });
    expect(parseKernel('gate+up 2048->8192 r1')).toMatchObject({ outWidths: [8192, 8192], rows: 1 });
    expect(parseKernel('gate+up, 2048->8192 twice (fused)', { rows: 1 })).toMatchObject({
      outWidths: [8192, 8192],
    });
    expect(parseKernel('Q+K+V m2048+512+512 k2048 n1')).toMatchObject({ outWidths: [2048, 512, 512] });
    expect(parseKernel('64x2048x8192')).toMatchObject({ rows: 64, inWidth: 2048, outWidths: [8192] });
    expect(parseKernel('MoE gate_up M~64 K2048 N3584')).toMatchObject({ rows: 64, inWidth: 2048 });
    expect(parseKernel('MUL_MAT 2048x8192 n35')).toMatchObject({
      rows: 35,
      inWidth: 2048,
      outWidths: [8192],
    });
    expect(parseKernel('MUL_MAT q8_0 m4096 k4096 n64')).toMatchObject({ weights: 'q8_0' });
  });

  it('routed products say how many experts there are', () => {
    expect(parseKernel('MUL_MAT_ID m512 k2048 n35 e32 top4')).toEqual({
      kind: 'routed-product',
      rows: 35,
      inWidth: 2048,
      outWidth: 512,
      weights: 'q4_0',
      experts: 32,
      expertsPerToken: 4,
    });
    expect(() => parseKernel('MUL_MAT_ID m512 k2048 n35')).toThrow(/number of experts/);
  });

  it('attention', () => {
    const shape = { kind: 'attention', heads: 32, kvHeads: 8, headDim: 64 };
    expect(parseKernel('FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256')).toEqual({ ...shape, rows: 35, keys: 256 });
    expect(parseKernel('FLASH_ATTN_EXT d64 h32 kv8', { rows: 1, keys: 4096 })).toEqual({
      ...shape,
      rows: 1,
      keys: 4096,
    });
    expect(() => parseKernel('FLASH_ATTN_EXT d64 h32 kv8 nq1')).toThrow(UsageError);
  });

  it('operators on rows', () => {
    const rows = (operator: string, width: number, count: number) => ({
      kind: 'rows',
      operator,
      rows: count,
      width,
    });
    expect(parseKernel('SWIGLU n8192 r35')).toEqual(rows('SWIGLU', 8192, 35));
    expect(parseKernel('RMS_NORM+MUL n2048 r1')).toEqual(rows('RMS_NORM+MUL', 2048, 1));
    expect(parseKernel('RMS_NORM n2048 r1')).toEqual(rows('RMS_NORM', 2048, 1));
    expect(parseKernel('ROPE d64 h32 r1')).toEqual({ ...rows('ROPE', 64, 32), heads: 32 });
    expect(parseKernel('ROPE [64, 32, 35]')).toEqual({ ...rows('ROPE', 64, 32 * 35), heads: 32 });
    expect(parseKernel('SET_ROWS n512 r35')).toEqual(rows('SET_ROWS', 512, 35));
    expect(parseKernel('ADD 2048x35')).toEqual(rows('ADD', 2048, 35));
    expect(parseKernel('SWIGLU 8192', { rows: 1 })).toEqual(rows('SWIGLU', 8192, 1));
    expect(() => parseKernel('ADD n2048')).toThrow(/number of rows/);
  });

  it('parts of a layer of a named model', () => {
    expect(parseKernel('Q+K+V fused', { model: 'llama-3.2-3b', rows: 1 })).toMatchObject({
      inWidth: 3072,
      outWidths: [3072, 1024, 1024],
    });
    expect(parseKernel('llama-3.2-3b mean of the products of a layer', { rows: 1 })).toEqual({
      kind: 'layer-products',
      model: 'llama-3.2-3b',
      rows: 1,
      weights: 'q4_0',
    });
  });

  it('refuses what it does not know', () => {
    expect(() => parseKernel('something')).toThrow(/no operator in "something"/);
  });
});
