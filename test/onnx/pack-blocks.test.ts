import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWeight } from '../../src/model/formats/codec.js';
import {
  BLOB_BYTES,
  BLOB_BYTES_WITH_ZERO,
  bitsOf,
  splitHalves,
  unpackBlocks,
  widenScales,
} from '../../src/onnx/pack-blocks.js';

const FORMATS = [
  ['q4_0', 18],
  ['q8_0', 34],
] as const;

/** What MatMulNBits makes of codes and scales, by the description of the operator. */
function dequantise(codes: Uint8Array, scaleBytes: Uint8Array, bits: 4 | 8): number[] {
  const scales = new Float32Array(scaleBytes.buffer);
  const zero = 2 ** (bits - 1);
  const perByte = 8 / bits;
  return Array.from({ length: codes.length * perByte }, (_, i) => {
    const code = (codes[Math.floor(i / perByte)]! >> (bits * (i % perByte))) & (2 ** bits - 1);
    return Math.fround(scales[Math.floor(i / 32)]! * (code - zero));
  });
}

describe('unpackBlocks', () => {
  it.each(FORMATS)('keeps every value of %s, whatever the bytes', (dtype, stride) => {
    const block = fc.tuple(
      fc.uint8Array({ minLength: stride - 2, maxLength: stride - 2 }),
      fc.integer({ min: 0, max: 0x7bff }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
        const bytes = Uint8Array.from(
          blocks.flatMap(([codes, half, negative]) => {
            const bits = half | (negative ? 0x8000 : 0);
            return [bits & 255, bits >> 8, ...codes];
          }),
        );
        const [codes, scales] = unpackBlocks(dtype, bytes, 'w');
        expect(codes).toHaveLength((blocks.length * 32 * bitsOf(dtype)) / 8);
        const values = dequantise(codes, scales, bitsOf(dtype));
        // -0 and 0 are the same value.
        expect(values.map((x) => x + 0)).toEqual([...decodeWeight(dtype, bytes, 'w')].map((x) => x + 0));
      }),
      { numRuns: 500 },
    );
  });

  it.each(FORMATS)('refuses a scale of %s that is not finite, naming the weight', (dtype, stride) => {
    const bytes = new Uint8Array(2 * stride);
    bytes.set([0x00, 0x7e], stride);
    expect(() => unpackBlocks(dtype, bytes, 'model.gguf: blk.0.attn_q.weight')).toThrow(
      'model.gguf: blk.0.attn_q.weight: scale of block 1 is not finite',
    );
  });
});

/** What MatMulFpQ4 makes of one matrix: codes less the zero point, 8 where the block has none, times the scale. */
function valuesOfBlob(blob: Uint8Array, bytes: number): number[] {
  const view = new DataView(blob.buffer);
  return Array.from({ length: (blob.length / bytes) * 32 }, (_, i) => {
    const at = Math.floor(i / 32) * bytes;
    const zero = bytes === BLOB_BYTES ? 8 : blob[at + 4]!;
    const byte = blob[at + bytes - 16 + (i % 16)]!;
    return view.getFloat32(at, true) * ((i % 32 < 16 ? byte & 15 : byte >> 4) - zero);
  });
}

describe('splitHalves', () => {
  it('adds up to every value of q8_0', () => {
    const block = fc.tuple(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.integer({ min: 0, max: 0x7bff }),
    );
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
        const bytes = Uint8Array.from(blocks.flatMap(([codes, half]) => [half & 255, half >> 8, ...codes]));
        const [upper, lower] = splitHalves(bytes, 'w');
        const low = valuesOfBlob(lower, BLOB_BYTES_WITH_ZERO);
        const sums = valuesOfBlob(upper, BLOB_BYTES).map((value, i) => Math.fround(value + low[i]!));
        expect(sums.map((x) => x + 0)).toEqual([...decodeWeight('q8_0', bytes, 'w')].map((x) => x + 0));
      }),
      { numRuns: 500 },
    );
  });

  it('refuses a scale that is not finite, naming the weight', () => {
    const bytes = new Uint8Array(68);
    bytes.set([0x00, 0x7e], 34);
    expect(() => splitHalves(bytes, 'w')).toThrow('w: scale of block 1 is not finite');
  });
});

describe('widenScales', () => {
  it('keeps the codes and makes the scale an f32', () => {
    // Scales 1 and -0.5 as halves.
    const bytes = Uint8Array.from([0x00, 0x3c, ...Array(16).keys(), 0x00, 0xb8, ...Array(16).fill(0xf7)]);
    const blob = widenScales(bytes, 'w');
    expect(blob).toHaveLength(2 * BLOB_BYTES);
    const view = new DataView(blob.buffer);
    expect([view.getFloat32(0, true), view.getFloat32(BLOB_BYTES, true)]).toEqual([1, -0.5]);
    expect([...blob.subarray(4, BLOB_BYTES)]).toEqual([...Array(16).keys()]);
    expect([...blob.subarray(BLOB_BYTES + 4)]).toEqual(Array(16).fill(0xf7));
  });

  it('refuses a scale that is not finite, naming the weight', () => {
    const bytes = new Uint8Array(36);
    bytes.set([0x00, 0x7c], 18);
    expect(() => widenScales(bytes, 'w')).toThrow('w: scale of block 1 is not finite');
  });
});
