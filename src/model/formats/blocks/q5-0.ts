import { toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { joinFive, splitFive } from './fifth-bits.js';
import { evenLevels, halfAt } from './packed.js';
import { extremeOf, invert } from './rounding.js';

/** Q5_0: f16 scale d, codes of 5 bits; value = d * (q - 16). Rounding as in quantize_row_q5_0_ref. */
const ELEMENTS = 32;
const BYTES = 22;

export const Q5_0 = packedCodec(
  6,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: ELEMENTS,
    levels: evenLevels(5, -16),
    grouped: false,
    shifted: false,
    split(bytes, at, block, { codes, scales }) {
      scales[block] = halfAt(bytes, at);
      splitFive(bytes, at + 2, codes, block * ELEMENTS);
    },
  },
  encode,
);

function encode(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES) {
    const scale = Math.fround(extremeOf(values, start, ELEMENTS) / -16);
    const inverse = invert(scale);
    view.setUint16(at, toF16Bits(scale), true);
    joinFive(bytes, at + 2, (j) => {
      const code = Math.fround(Math.fround(values[start + j] * inverse) + 16.5);
      return Math.min(31, Math.trunc(code));
    });
  }
  return bytes;
}
