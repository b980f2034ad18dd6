import { toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { evenLevels, halfAt, splitNibbles } from './packed.js';
import { extremeOf, invert } from './rounding.js';

/**
 * Q4_0: f16 scale d and 16 bytes; byte j holds element j in its low and element j + 16 in its high nibble;
 * value = d * (q - 8). The element of largest magnitude, the first on ties, becomes exactly q = 0. Rounding as in
 * ggml's quantize_row_q4_0_ref.
 */
const ELEMENTS = 32;
const HALF = ELEMENTS / 2;
const BYTES = 18;

export const Q4_0 = packedCodec(
  2,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: ELEMENTS,
    levels: evenLevels(4, -8),
    grouped: false,
    shifted: false,
    split(bytes, at, block, { codes, scales }) {
      scales[block] = halfAt(bytes, at);
      splitNibbles(bytes, at + 2, HALF, codes, block * ELEMENTS);
    },
  },
  encode,
);

function encode(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES) {
    const scale = Math.fround(extremeOf(values, start, ELEMENTS) / -8);
    const inverse = invert(scale);
    view.setUint16(at, toF16Bits(scale), true);
    for (let j = 0; j < HALF; j++) {
      const low = quantise(values[start + j], inverse);
      bytes[at + 2 + j] = low | (quantise(values[start + j + HALF], inverse) << 4);
    }
  }
  return bytes;
}

function quantise(value: number, inverse: number): number {
  return Math.min(15, Math.trunc(Math.fround(Math.fround(value * inverse) + 8.5)));
}
