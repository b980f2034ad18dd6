import { fromF16Bits, toF16Bits } from './f16.js';

/** Q8_0: f16 scale d and 32 signed bytes; value = d * q. Rounding as in ggml's quantize_row_q8_0_ref. */
const ELEMENTS = 32;
const BYTES = 34;

export function decodeQ8_0(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array((bytes.length / BYTES) * ELEMENTS);
  for (let at = 0, out = 0; at < bytes.length; at += BYTES) {
    const scale = fromF16Bits(view.getUint16(at, true));
    for (let i = 0; i < ELEMENTS; i++) values[out++] = scale * view.getInt8(at + 2 + i);
  }
  return values;
}

export function encodeQ8_0(values: Float32Array): Uint8Array {
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

/**
 * 1 / scale in f32; 0 for a scale of 0 or one so small that its inverse overflows. The scale is then stored as 0 and
 * the values read back as 0; only in such blocks may the bytes differ from ggml's, which divides and gets NaN.
 */
export function invert(scale: number): number {
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
  return Number.isFinite(inverse) ? inverse : 0;
}

/** C's roundf. */
function roundHalfAway(x: number): number {
  return Math.sign(x) * Math.floor(Math.abs(x) + 0.5);
}
