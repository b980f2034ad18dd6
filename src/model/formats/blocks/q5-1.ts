import { toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { joinFive, splitFive } from './fifth-bits.js';
import { evenLevels, halfAt } from './packed.js';
import { invert, rangeOf } from './rounding.js';

/** Q5_1: f16 scale d, f16 minimum m, codes of 5 bits; value = d * q + m. Rounding as in quantize_row_q5_1_ref. */
const ELEMENTS = 32;
const BYTES = 24;

export const Q5_1 = packedCodec(
  7,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: ELEMENTS,
    levels: evenLevels(5, 0),
    grouped: false,
    shifted: true,
    split(bytes, at, block, { codes, scales, mins }) {
      scales[block] = halfAt(bytes, at);
      mins[block] = -halfAt(bytes, at + 2);
      splitFive(bytes, at + 4, codes, block * ELEMENTS);
    },
  },
  encode,
);

function encode(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES) {
    const [least, greatest] = rangeOf(values, start, ELEMENTS);
    const scale = Math.fround(Math.fround(greatest - least) / 31);
    const inverse = invert(scale);
    view.setUint16(at, toF16Bits(scale), true);
    view.setUint16(at + 2, toF16Bits(least), true);
    joinFive(bytes, at + 4, (j) => {
      const code = Math.fround(Math.fround(values[start + j] - least) * inverse);
      return Math.trunc(Math.fround(code + 0.5));
    });
  }
  return bytes;
}
