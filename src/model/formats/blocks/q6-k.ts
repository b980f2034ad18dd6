import { fromF16Bits, toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { bestScale, SMALLEST } from './fit.js';
import { evenLevels, halfAt } from './packed.js';
import { nearestInt } from './rounding.js';

/**
 * Q6_K: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales, f16 d; value = d * sc * (q - 32).
 * Rounding as in quantize_row_q6_K_ref.
 */
const ELEMENTS = 256;
const BYTES = 210;
const GROUP = 16;
const [UPPER, SCALES, SCALE] = [128, 192, 208];

export const Q6_K = packedCodec(
  14,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: GROUP,
    levels: evenLevels(6, -32),
    grouped: true,
    shifted: false,
    split(bytes, at, block, { codes, scales, groupScales }) {
      for (let half = 0; half < 2; half++) {
        const [low, high] = [at + half * 64, at + UPPER + half * 32];
        const to = block * ELEMENTS + half * 128;
        for (let l = 0; l < 32; l++) {
          const [a, b, upper] = [bytes[low + l], bytes[low + 32 + l], bytes[high + l]];
          codes[to + l] = (a & 15) | ((upper & 3) << 4);
          codes[to + l + 32] = (b & 15) | (((upper >>> 2) & 3) << 4);
          codes[to + l + 64] = (a >>> 4) | (((upper >>> 4) & 3) << 4);
          codes[to + l + 96] = (b >>> 4) | ((upper >>> 6) << 4);
        }
      }
      // An Int8Array takes a byte as signed.
      for (let g = 0; g < 16; g++) groupScales[block * 16 + g] = bytes[at + SCALES + g];
      scales[block] = halfAt(bytes, at + SCALE);
    },
  },
  encode,
);

const { fround } = Math;

function encode(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / ELEMENTS) * BYTES);
  for (let start = 0, at = 0; start < values.length; start += ELEMENTS, at += BYTES)
    encodeBlock(values.subarray(start, start + ELEMENTS), bytes, at);
  return bytes;
}

function encodeBlock(x: Float32Array, bytes: Uint8Array, at: number): void {
  const codes = new Uint8Array(ELEMENTS);
  const scales = new Float32Array(16);
  let greatest = 0;
  for (let g = 0; g < 16; g++) {
    const [from, to] = [g * GROUP, (g + 1) * GROUP];
    scales[g] = bestScale(x.subarray(from, to), 32, codes.subarray(from, to));
    if (Math.abs(scales[g]) > Math.abs(greatest)) greatest = scales[g];
  }
  if (Math.abs(greatest) < SMALLEST) return;
  const inverse = fround(-128 / greatest);
  const d = toF16Bits(fround(1 / inverse));
  const groupScales = Int8Array.from(scales, (scale) => Math.min(127, nearestInt(fround(inverse * scale))));
  for (let g = 0; g < 16; g++) {
    const scale = fround(fromF16Bits(d) * groupScales[g]);
    if (scale === 0) continue;
    for (let i = g * GROUP; i < (g + 1) * GROUP; i++)
      codes[i] = 32 + Math.max(-32, Math.min(31, nearestInt(fround(x[i] / scale))));
  }
  for (let half = 0; half < 2; half++) {
    const [low, high, from] = [at + half * 64, at + UPPER + half * 32, half * 128];
    for (let l = 0; l < 32; l++) {
      const [a, b, c, e] = [0, 32, 64, 96].map((run) => codes[from + run + l]);
      bytes[low + l] = (a & 15) | ((c & 15) << 4);
      bytes[low + 32 + l] = (b & 15) | ((e & 15) << 4);
      bytes[high + l] = (a >>> 4) | ((b >>> 4) << 2) | ((c >>> 4) << 4) | ((e >>> 4) << 6);
    }
  }
  bytes.set(new Uint8Array(groupScales.buffer), at + SCALES);
  new DataView(bytes.buffer).setUint16(at + SCALE, d, true);
}
