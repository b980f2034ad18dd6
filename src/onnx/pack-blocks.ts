import { DataError } from '../errors.js';
import { fromF16Bits } from '../model/formats/f16.js';

/** Values per quantization block of ggml's Q4_0 and Q8_0, and of the MatMulNBits operators written from them. */
export const BLOCK = 32;

/** Bytes of a block of MatMulFpQ4: an f32 scale and 32 codes of 4 bits (type 0); a zero point after the scale (type 1). */
export const BLOB_BYTES = 20;
export const BLOB_BYTES_WITH_ZERO = 21;

export type BlockDType = 'q4_0' | 'q8_0';

/** Bits per code. */
export function bitsOf(dtype: BlockDType): 4 | 8 {
  return dtype === 'q4_0' ? 4 : 8;
}

let halves: Float32Array | undefined;

/** Value of every half by its bits: a look-up is several times faster than the arithmetic. */
function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => fromF16Bits(bits));
  return halves;
}

/**
 * Splits ggml blocks into the codes and scales of MatMulNBits: the same codes and the same scales (an f16 is exact in
 * f32), in another order. Nothing is quantised again. Q4_0 codes mean code - 8, Q8_0 codes are shifted to code - 128:
 * the operator's default zero points.
 *
 * @param label what errors call the weight
 * @throws DataError for a scale that is not finite
 */
export function unpackBlocks(dtype: BlockDType, blocks: Uint8Array, label: string): [Uint8Array, Uint8Array] {
  const stride = dtype === 'q4_0' ? 18 : 34;
  const count = blocks.length / stride;
  const codeBytes = (BLOCK * bitsOf(dtype)) / 8;
  const codes = new Uint8Array(count * codeBytes);
  const scales = new Float32Array(count);
  const table = halfTable();
  const fill = dtype === 'q4_0' ? pairNibbles : shiftBytes;
  for (let block = 0, at = 0; block < count; block++, at += stride) {
    scales[block] = finiteScale(table, blocks, at, block, label);
    fill(blocks, at + 2, codes, block * codeBytes);
  }
  return [codes, new Uint8Array(scales.buffer)];
}

/**
 * Q4_0 blocks as MatMulFpQ4 reads them (type 0): the scale as f32, then the 16 bytes of codes as they are.
 *
 * @param label what errors call the weight
 * @throws DataError for a scale that is not finite
 */
export function widenScales(blocks: Uint8Array, label: string): Uint8Array {
  const count = blocks.length / 18;
  const out = new Uint8Array(count * BLOB_BYTES);
  const view = new DataView(out.buffer);
  const table = halfTable();
  for (let block = 0, from = 0, to = 0; block < count; block++, from += 18, to += BLOB_BYTES) {
    view.setFloat32(to, finiteScale(table, blocks, from, block, label), true);
    for (let j = 0; j < 16; j++) out[to + 4 + j] = blocks[from + 2 + j];
  }
  return out;
}

/**
 * Q8_0 blocks as two matrices of MatMulFpQ4 whose products add up to theirs: 16 times the upper half of every code (type 0,
 * the scale times 16) and the lower half (type 1, zero point 0). Nothing is rounded.
 *
 * @param label what errors call the weight
 * @throws DataError for a scale that is not finite
 */
export function splitHalves(blocks: Uint8Array, label: string): [Uint8Array, Uint8Array] {
  const count = blocks.length / 34;
  const upper = new Uint8Array(count * BLOB_BYTES);
  const lower = new Uint8Array(count * BLOB_BYTES_WITH_ZERO);
  const [upperView, lowerView] = [new DataView(upper.buffer), new DataView(lower.buffer)];
  const table = halfTable();
  for (let block = 0, from = 0, up = 0, low = 0; block < count; block++) {
    const scale = finiteScale(table, blocks, from, block, label);
    upperView.setFloat32(up, 16 * scale, true);
    lowerView.setFloat32(low, scale, true);
    for (let j = 0; j < 16; j++) {
      // A signed byte is 16 * (upper - 8) + lower once its top bit is flipped.
      const first = blocks[from + 2 + j] ^ 0x80;
      const second = blocks[from + 18 + j] ^ 0x80;
      upper[up + 4 + j] = (first >>> 4) | (second & 0xf0);
      lower[low + 5 + j] = (first & 0x0f) | ((second & 0x0f) << 4);
    }
    from += 34;
    up += BLOB_BYTES;
    low += BLOB_BYTES_WITH_ZERO;
  }
  return [upper, lower];
}

function finiteScale(
  table: Float32Array,
  blocks: Uint8Array,
  at: number,
  block: number,
  label: string,
): number {
  const scale = table[blocks[at] | (blocks[at + 1] << 8)];
  if (!Number.isFinite(scale)) throw new DataError(`${label}: scale of block ${block} is not finite`);
  return scale;
}

/** Q4_0 has element j in the low and j + 16 in the high nibble of byte j; the operator wants neighbours together. */
function pairNibbles(blocks: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  for (let j = 0; j < 8; j++) {
    const even = blocks[from + 2 * j];
    const odd = blocks[from + 2 * j + 1];
    codes[to + j] = (even & 0x0f) | ((odd & 0x0f) << 4);
    codes[to + 8 + j] = (even >>> 4) | (odd & 0xf0);
  }
}

function shiftBytes(blocks: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  // Signed to unsigned with 128 as zero is a flip of the top bit.
  for (let j = 0; j < BLOCK; j++) codes[to + j] = blocks[from + j] ^ 0x80;
}
