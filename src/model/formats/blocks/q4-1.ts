import { toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { evenLevels, halfAt, splitNibbles } from './packed.js';
import { invert, rangeOf } from './rounding.js';

/** Q4_1: f16 scale d, f16 minimum m, then nibbles as in Q4_0; value = d * q + m. Rounding as in quantize_row_q4_1_ref. */
const ELEMENTS = 32;
const HALF = ELEMENTS / 2;
const BYTES = 20;

export const Q4_1 = packedCodec(
  3,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: ELEMENTS,
    levels: evenLevels(4, 0),
    grouped: false,
    shifted: true,
    split(bytes, at, block, { codes, scales, mins }) {
      scales[block] = halfAt(bytes, at);
      mins[block] = -halfAt(bytes, at + 2);
      splitNibbles(bytes, at + 4, HALF, codes, block * ELEMENTS);
    },
  },
  encode,
);

function encode(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES) {
    const [least, greatest] = rangeOf(values, start, ELEMENTS);
    const scale = Math.fround(Math.fround(greatest - least) / 15);
    const inverse = invert(scale);
    view.setUint16(at, toF16Bits(scale), true);
    view.setUint16(at + 2, toF16Bits(least), true);
    const quantise = (value: number) => {
      const code = Math.fround(Math.fround(value - least) * inverse);
      return Math.min(15, Math.trunc(Math.fround(code + 0.5)));
    };
    for (let j = 0; j < HALF; j++)
      bytes[at + 4 + j] = quantise(values[start + j]) | (quantise(values[start + j + HALF]) << 4);
  }
  return bytes;
}
