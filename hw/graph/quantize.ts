import type { ActivationRange } from './calibration.js';

/** Smallest normal f32: scales below it lose their digits. */
const SMALLEST_SCALE = 2 ** -126;

/** Codes and scales of a matrix, one scale per row: of an output channel, or of a block of one. */
export interface QuantizedMatrix {
  /** One code per weight, row-major. */
  readonly codes: Int8Array;
  readonly scales: Float32Array;
}

/**
 * Symmetric quantisation per row: scale = max |w| / (2^(bits-1) - 1), code = round(w / scale). A row of zeros, or of
 * values no scale can resolve, gets scale 1 and codes 0.
 *
 * @param rows output channels, or blocks: a matrix of [out, in] is one of [out * in / block, block] too
 */
export function quantizeRows(
  values: Float32Array,
  rows: number,
  width: number,
  bits: 4 | 8,
): QuantizedMatrix {
  const most = 2 ** (bits - 1) - 1;
  const codes = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * width; i < (row + 1) * width; i++) largest = Math.max(largest, Math.abs(values[i]));
    const scale = Math.fround(largest / most < SMALLEST_SCALE ? 1 : largest / most);
    scales[row] = scale;
    for (let i = row * width; i < (row + 1) * width; i++) {
      codes[i] = Math.max(-most, Math.min(most, Math.round(values[i] / scale)));
    }
  }
  return { codes, scales };
}

/** Two 4-bit codes per byte, the first in the low half (ONNX's INT4). */
export function packNibbles(codes: Int8Array): Uint8Array {
  const packed = new Uint8Array(Math.ceil(codes.length / 2));
  for (let i = 0; i < codes.length; i++) packed[i >> 1] |= (codes[i] & 0x0f) << (4 * (i & 1));
  return packed;
}

export interface AffineScale {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Scale and zero point of unsigned 16-bit activations over a range that always contains 0. */
export function activationScale({ min, max }: ActivationRange): AffineScale {
  const low = Math.min(0, min);
  const high = Math.max(0, max);
  const scale = Math.fround(high - low === 0 ? 1 : (high - low) / 65535);
  return { scale, zeroPoint: Math.max(0, Math.min(65535, Math.round(-low / scale))) };
}
