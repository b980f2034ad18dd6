import { toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { evenLevels, halfAt } from './packed.js';
import { invert } from './rounding.js';

/** Q8_0: f16 scale d and 32 signed bytes; value = d * q. Rounding as in ggml's quantize_row_q8_0_ref. */
const ELEMENTS = 32;
const BYTES = 34;

export const Q8_0 = packedCodec(
  8,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: ELEMENTS,
    levels: evenLevels(8, -128),
    grouped: false,
    shifted: false,
    split(bytes, at, block, { codes, scales }) {
      scales[block] = halfAt(bytes, at);
      // Signed to unsigned with 128 as zero is a flip of the top bit.
      for (let i = 0; i < ELEMENTS; i++) codes[block * ELEMENTS + i] = bytes[at + 2 + i] ^ 0x80;
    },
  },
  encode,
);

function encode(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES) {
    let largest = 0;
    for (let i = 0; i < ELEMENTS; i++) largest = Math.max(largest, Math.abs(values[start + i]));
    const scale = Math.fround(largest / 127);
    const inverse = invert(scale);
    view.setUint16(at, toF16Bits(scale), true);
    for (let i = 0; i < ELEMENTS; i++) {
      view.setInt8(at + 2 + i, roundHalfAway(Math.fround(values[start + i] * inverse)));
    }
  }
  return bytes;
}

/** C's roundf. */
function roundHalfAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}
