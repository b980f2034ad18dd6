import { fromF16Bits, toF16Bits } from './f16.js';
import { invert } from './q8-0.js';

/**
 * Q4_0: f16 scale d and 16 bytes; byte j holds element j in its low and element j + 16 in its high nibble;
 * value = d * (q - 8). The element of largest magnitude, the first on ties, becomes exactly q = 0. Rounding as in
 * ggml's quantize_row_q4_0_ref.
 */
const ELEMENTS = 32;
const HALF = ELEMENTS / 2;
const BYTES = 18;

export function decodeQ4_0(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array((bytes.length / BYTES) * ELEMENTS);
  for (let at = 0, out = 0; at < bytes.length; at += BYTES, out += ELEMENTS) {
    const scale = fromF16Bits(view.getUint16(at, true));
    for (let j = 0; j < HALF; j++) {
      const pair = bytes[at + 2 + j];
      values[out + j] = scale * ((pair & 15) - 8);
      values[out + j + HALF] = scale * ((pair >>> 4) - 8);
    }
  }
  return values;
}

export function encodeQ4_0(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  const view = new DataView(bytes.buffer);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES) {
    let extreme = 0;
    for (let i = 0; i < ELEMENTS; i++) {
      if (Math.abs(values[start + i]) > Math.abs(extreme)) extreme = values[start + i];
    }
    const scale = Math.fround(extreme / -8);
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
