import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/model/dtype.js';
import { precisionFor, precisionKey } from '../../src/model/precision.js';
import type { Pass } from '../../src/pass/pass.js';
import { passShape } from '../../src/pass/shape.js';

const pass: Pass = {
  id: '3.0',
  kind: 'denoise',
  lane: 'main',
  version: 4,
  visibility: 'all',
  logits: [0, 2],
  rows: [4, 5, 6].map((position) => ({ position, feed: 1 })),
  reads: [0, 1].map((position) => ({ position, version: 0 })),
};

describe('passShape', () => {
  it('says what the graph depends on', () => {
    const prefix = { name: 'prefix', length: 2 };
    expect(passShape(pass)).toEqual({ rows: 3, kvSets: [prefix], logitsRows: 2, masked: false });
    expect(passShape({ ...pass, reads: [], logits: [] })).toEqual({
      rows: 3,
      kvSets: [],
      logitsRows: 0,
      masked: false,
    });
    expect(passShape({ ...pass, visibility: 'self' }).masked).toBe(true);
    expect(passShape({ ...pass, visibility: 'causal' }).masked).toBe(true);
  });

  it('has nothing to hide where a lone row sees what is cached and itself', () => {
    const lone = { ...pass, rows: pass.rows.slice(0, 1), logits: [0] };
    const masked = (visibility: Pass['visibility'], of: Pass) => passShape({ ...of, visibility }).masked;
    const kinds = ['all', 'causal', 'ordered', 'self', 'shadow'] as const;
    expect(kinds.map((kind) => masked(kind, pass))).toEqual([false, true, true, true, true]);
    // A shadow row is blind to its own position among what is cached; rows of their own need a matrix as ever.
    expect(kinds.map((kind) => masked(kind, lone))).toEqual([false, false, false, true, true]);
  });
});

describe('precision', () => {
  it('of llada.cpp: Q4_0 weights and head, f16 KV and activations', () => {
    expect(precisionFor('q4_0')).toEqual({
      weights: 'q4_0',
      embedding: 'q4_0',
      head: 'q4_0',
      kv: 'f16',
      activations: 'f16',
    });
    expect(precisionKey(precisionFor('q4_0', { head: 'f16' }))).toBe('q4_0/q4_0/f16/f16/f16');
    expect(precisionFor('f32').kv).toBe('f32');
  });

  it('has exact sizes, and refuses rows of part blocks', () => {
    expect(bytesOf([3, 64], 'q4_0')).toBe(3 * 2 * 18);
    expect(bytesOf([3, 64], 'q8_0')).toBe(3 * 2 * 34);
    expect(bytesOf([3, 5], 'bf16')).toBe(30);
    expect(bytesOf([], 'f32')).toBe(4);
    expect(() => bytesOf([64, 3], 'q4_0')).toThrow(/multiple of 32 elements, got \[64, 3\]/);
  });
});
