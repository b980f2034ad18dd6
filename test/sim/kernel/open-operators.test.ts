import { describe, expect, it } from 'vitest';
import { timeKernel } from '../../../sim/kernel/time-kernel.js';
import { attentionBlocks } from '../../../sim/machine/lower/htp/attention-blocks.js';
import { softmaxPairInstructions } from '../../../sim/machine/lower/htp/attention-matrix.js';
import { blockInstructions } from '../../../sim/machine/lower/htp/attention-vector.js';
import { productBlocks } from '../../../sim/machine/lower/htp/product-blocks.js';
import { openChip } from '../../../sim/open-machine.js';

const phone = openChip({ profile: 'sm8750', stack: 'llama.cpp-hexagon' });
const us = (name: string): number => 1000 * timeKernel(name, phone).deviceMs;

/**
 * Operators of LFM2-1.2B Q4_0 on an SM8750, inside the operator, in us (xwhzz/tilelang-hexagon, docs/lfm2_hexagon_report; the
 * middle where it gives a span). They were in view when the loops were written down, and set no number.
 */
const OPEN = [
  ['gate+up 2048->8192 r1', 384],
  ['Q+K+V m2048+512+512 k2048 n1', 73.1],
  ['FLASH_ATTN_EXT d64 h32 kv8 nq1 nkv256', 111],
  ['SWIGLU n8192 r1', 11.7],
  ['MUL_MAT m8192 k2048 n35', 337.5],
  ['MUL_MAT m2048 k2048 n35', 112],
  ['FLASH_ATTN_EXT d64 h32 kv8 nq35 nkv256', 712],
] as const;

describe('operators of a phone', () => {
  it('are each within 40 %, and half of them within 12 %', () => {
    const errors = OPEN.map(([name, measured]) => Math.abs(us(name) / measured - 1)).sort((a, b) => a - b);
    expect(errors.at(-1)).toBeLessThan(0.4);
    expect(errors[3]).toBeLessThan(0.12);
  });

  it('have no cost that hides in a constant', () => {
    expect(phone.stack.numbers.opStartMs).toBe(0);
  });

  it('of a single row are the work of a single thread', () => {
    // Six rows are the work of six threads, which end three instructions a cycle together and not six.
    const [one, six] = [us('SWIGLU n8192 r1'), us('SWIGLU n8192 r6')];
    expect(six).toBeGreaterThan(one);
    expect(six).toBeLessThan(3 * one);
  });

  it('attend row by row on vector threads: keys of a group are fetched for each of its heads', () => {
    const bytes = (kv: number) => timeKernel(`FLASH_ATTN_EXT d64 h32 kv${kv} nq1 nkv1024`, phone).busyMs.dma;
    expect(bytes(8)).toBeCloseTo(bytes(32), 12);
  });
});

describe('counted loops', () => {
  it('softmax of two rows over 64 keys', () => {
    expect(softmaxPairInstructions(64)).toBe(109 + 28 + 4 * 71 + 15);
  });

  it('a key block of one query row', () => {
    // 64 keys of a head of 64: 302 for scores, 80 for probabilities and 384 for values of each 32 keys.
    expect(blockInstructions(64)).toBe(2 * (302 + 80 + 384) + 100);
    expect(blockInstructions(128)).toBeGreaterThan(blockInstructions(64));
  });

  it('blocks of attention are those of the backend', () => {
    // 35 rows of four heads a group: 32 rows together, and at least three key blocks.
    const shape = { rows: 35, keys: 256, group: 4, headDim: 64 };
    expect(attentionBlocks(shape, 2 ** 23, 6)).toMatchObject({ queryRows: 32, keys: 64 });
    expect(attentionBlocks({ ...shape, keys: 4096 }, 2 ** 23, 6).keys).toBeGreaterThan(64);
    expect(() => attentionBlocks(shape, 1000, 6)).toThrow(/does not fit/);
  });

  it('chunks of a product are as large as TCM allows', () => {
    const shape = { owner: 'p', rows: 35, inWidth: 2048, outWidth: 8192, bytesPerWeight: 0.625 };
    const { rows, columns, tcmBytes } = productBlocks(shape, true, 2 ** 23);
    expect(rows).toBe(64);
    expect(columns).toBeGreaterThan(600);
    expect(tcmBytes).toBeLessThanOrEqual(2 ** 23);
    expect(() => productBlocks(shape, true, 2 ** 16)).toThrow(/p: one column tile of depth 2048/);
  });
});
