import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../src/model/dtype.js';
import { CODECS, WRITTEN_DTYPES } from '../../src/model/formats/blocks/index.js';
import { decodeWeight, encodeWeight } from '../../src/model/formats/codec.js';
import { fromF16Bits, toF16Bits } from '../../src/model/formats/f16.js';
import { halfSplitOrder, interleavedOrder, reorderRows } from '../../src/model/formats/rope-permutation.js';

/** Formats that `convert` writes. */
const WRITTEN = WRITTEN_DTYPES;

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -60000, max: 60000 });
const blocks = fc
  .array(fc.array(finite, { minLength: 32, maxLength: 32 }), { minLength: 1, maxLength: 4 })
  .map((rows) => Float32Array.from(rows.flat()));

/** Repeated until they fill a block. */
function wholeBlocks(dtype: (typeof WRITTEN)[number], values: Float32Array): Float32Array {
  const { elements } = CODECS[dtype];
  if (elements <= 32) return values;
  return Float32Array.from({ length: elements }, (_, i) => values[i % values.length]);
}

/** Largest and smallest half of a set of candidates next to x, by search: slow and obviously right. */
function nearestHalf(x: number): number {
  let best = 0;
  for (let half = 0; half < 0x7c00; half++) {
    const [a, b] = [Math.abs(fromF16Bits(half) - Math.abs(x)), Math.abs(fromF16Bits(best) - Math.abs(x))];
    if (a < b || (a === b && half % 2 === 0)) best = half;
  }
  return best | (x < 0 || Object.is(x, -0) ? 0x8000 : 0);
}

describe('f16', () => {
  it('round-trips every half', () => {
    for (let half = 0; half < 65536; half++) {
      const value = fromF16Bits(half);
      if (!Number.isNaN(value)) expect(toF16Bits(value)).toBe(half);
      else expect(toF16Bits(value) & 0x7c00).toBe(0x7c00);
    }
  });

  it('rounds to the nearest half, ties to even', () => {
    fc.assert(
      fc.property(
        fc.oneof(finite, fc.float({ min: Math.fround(-1e-4), max: Math.fround(1e-4), noNaN: true })),
        (x) => {
          expect(toF16Bits(x)).toBe(nearestHalf(x));
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.996, 0x7bff],
    [65520, 0x7c00],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [2 ** -25 * 1.0001, 0x0001],
    [3 * 2 ** -25, 0x0002],
    [2 ** -14 - 2 ** -26, 0x0400],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [-0, 0x8000],
  ])('%d is 0x%s', (value, expected) => {
    expect(toF16Bits(Math.fround(value))).toBe(expected);
  });
});

describe('weight codecs', () => {
  it.each(WRITTEN)('%s: size is exact, and encoding what was decoded gives the same values', (dtype) => {
    fc.assert(
      fc.property(blocks, (drawn) => {
        const values = wholeBlocks(dtype, drawn);
        const bytes = encodeWeight(dtype, values, 'w');
        expect(bytes.length).toBe(bytesOf([values.length], dtype));
        const decoded = decodeWeight(dtype, bytes, 'w');
        if (dtype === 'f32') expect(decoded).toEqual(values);
        if (dtype === 'f32' || dtype === 'f16' || dtype === 'bf16') {
          expect(encodeWeight(dtype, decoded, 'w')).toEqual(bytes);
        }
      }),
    );
  });

  it('bf16 rounds to nearest, ties to even', () => {
    const stored = (value: number) =>
      decodeWeight('bf16', encodeWeight('bf16', Float32Array.of(value), 'w'), 'w')[0];
    const unit = 2 ** -7;
    expect([1, 2, 3, 4].map((n) => stored(1 + (n * unit) / 2))).toEqual([
      1,
      1 + unit,
      1 + 2 * unit,
      1 + 2 * unit,
    ]);
    expect([stored(1 + 0.5001 * unit), stored(-1 - 1.5 * unit), stored(-1 - 0.5 * unit)]).toEqual([
      1 + unit,
      -1 - 2 * unit,
      -1,
    ]);
  });

  it('bf16 and f16 keep 8 and 11 significant bits', () => {
    fc.assert(
      fc.property(blocks, (values) => {
        const relative = { f16: 2 ** -11, bf16: 2 ** -8 };
        for (const dtype of ['f16', 'bf16'] as const) {
          const decoded = decodeWeight(dtype, encodeWeight(dtype, values, 'w'), 'w');
          // Below 2^-14 a half is a multiple of 2^-24.
          values.forEach((x, i) => {
            const allowed = Math.max(Math.abs(x) * relative[dtype], dtype === 'f16' ? 2 ** -25 : 2 ** -133);
            expect(Math.abs(decoded[i] - x)).toBeLessThanOrEqual(allowed);
          });
        }
      }),
    );
  });

  it('Q8_0 errs by at most half a step, plus the rounding of its scale', () => {
    fc.assert(
      fc.property(blocks, (values) => {
        const decoded = decodeWeight('q8_0', encodeWeight('q8_0', values, 'w'), 'w');
        for (let start = 0; start < values.length; start += 32) {
          const largest = Math.max(...values.subarray(start, start + 32).map(Math.abs));
          const step = largest / 127;
          const scaleError = Math.max(step * 2 ** -11, 2 ** -25);
          for (let i = start; i < start + 32; i++) {
            const error = Math.abs(decoded[i] - values[i]);
            expect(error).toBeLessThanOrEqual(step * 0.501 + 127 * scaleError + 1e-30);
          }
        }
      }),
    );
  });

  it('Q4_0 keeps the first element of largest magnitude and errs by at most a step', () => {
    fc.assert(
      fc.property(blocks, (values) => {
        const bytes = encodeWeight('q4_0', values, 'w');
        const decoded = decodeWeight('q4_0', bytes, 'w');
        for (let start = 0; start < values.length; start += 32) {
          const block = [...values.subarray(start, start + 32)];
          const largest = Math.max(...block.map(Math.abs));
          const at = block.findIndex((x) => Math.abs(x) === largest);
          const step = largest / 8;
          if (largest / 8 < 2 ** -14) continue; // subnormal scales lose relative precision
          const pair = bytes[(start / 32) * 18 + 2 + (at % 16)];
          expect(at < 16 ? pair & 15 : pair >>> 4).toBe(0);
          for (let i = start; i < start + 32; i++) {
            expect(Math.abs(decoded[i] - values[i])).toBeLessThanOrEqual(step * (1 + 2 ** -7));
          }
        }
      }),
    );
  });

  it('Q4_0 and Q8_0 of hand-worked blocks', () => {
    const ramp = Float32Array.from({ length: 32 }, (_, i) => i - 16); // extreme -16: d = 2
    const q4 = encodeWeight('q4_0', ramp, 'w');
    expect([q4[0], q4[1]]).toEqual([0x00, 0x40]);
    // element 0: -16 / 2 + 8.5 = 0.5 -> 0; element 16: 8.5 -> 8. element 15: -0.5 + 8.5 -> 8; element 31: 16 -> 15.
    expect(q4[2]).toBe(0x80);
    expect(q4[17]).toBe(0xf8);
    const large = Float32Array.from({ length: 32 }, (_, i) =>
      i === 3 ? 127 : i === 4 ? -0.5 : i === 5 ? 2.5 : 0,
    );
    const q8 = encodeWeight('q8_0', large, 'w');
    expect([q8[0], q8[1]]).toEqual([0x00, 0x3c]);
    expect([...q8.subarray(2, 9)]).toEqual([0, 0, 0, 127, 0xff, 3, 0]);
  });

  it('are the bytes ggml writes', () => {
    const golden = JSON.parse(readFileSync(new URL('../golden/ggml-blocks.json', import.meta.url), 'utf8'));
    const values = Float32Array.from(golden.values as number[]);
    for (const dtype of ['q4_0', 'q8_0', 'f16', 'bf16'] as const) {
      expect(Buffer.from(encodeWeight(dtype, values, 'w')).toString('hex'), dtype).toBe(golden[dtype]);
    }
  });

  it('blocks of zeros and of the smallest numbers stay finite', () => {
    for (const dtype of WRITTEN) {
      for (const value of [0, -0, 1e-45, 1e-38, -3e-39, 6e-8]) {
        const decoded = decodeWeight(dtype, encodeWeight(dtype, new Float32Array(256).fill(value), 'w'), 'w');
        for (const x of decoded) expect(Math.abs(x - value)).toBeLessThanOrEqual(6e-8);
      }
    }
  });

  it('refuses what cannot be stored or is damaged', () => {
    const bad = new Float32Array(32).fill(1);
    bad[7] = Number.NaN;
    expect(() => encodeWeight('q4_0', bad, 'f: w')).toThrow(/f: w: non-finite value at element 7/);
    expect(() => encodeWeight('f16', new Float32Array(32).fill(70000), 'w')).toThrow(/too large/);
    expect(() => encodeWeight('q8_0', new Float32Array(32).fill(1e7), 'w')).toThrow(/too large/);
    expect(() => encodeWeight('q4_0', new Float32Array(33), 'w')).toThrow(/whole number of q4_0 blocks/);
    expect(() => decodeWeight('q4_0', new Uint8Array(19), 'w')).toThrow(/19 bytes are not a whole number/);
    const block = encodeWeight('q8_0', new Float32Array(32).fill(1), 'w');
    block[1] = 0x7c;
    block[0] = 0;
    expect(() => decodeWeight('q8_0', block, 'm.gguf: w')).toThrow(
      /m.gguf: w: non-finite q8_0 value or scale/,
    );
  });
});

describe('RoPE row order', () => {
  it('follows (head, 2, half) -> (head, half, 2)', () => {
    expect([...interleavedOrder(8, 8)]).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
    expect([...interleavedOrder(8, 4)]).toEqual([0, 2, 1, 3, 4, 6, 5, 7]);
  });

  it('leaves what does not rotate where it is', () => {
    expect([...interleavedOrder(16, 8, 4)]).toEqual([0, 2, 1, 3, 4, 5, 6, 7, 8, 10, 9, 11, 12, 13, 14, 15]);
    expect([...halfSplitOrder(8, 8, 6)]).toEqual([0, 2, 4, 1, 3, 5, 6, 7]);
  });

  it('is undone by its inverse', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 8 }), (heads, half) => {
        const rows = heads * half * 2;
        const bytes = Uint8Array.from({ length: rows * 3 }, (_, i) => i % 251);
        const stored = reorderRows(bytes, interleavedOrder(rows, half * 2));
        expect(reorderRows(stored, halfSplitOrder(rows, half * 2))).toEqual(bytes);
      }),
    );
  });
});
