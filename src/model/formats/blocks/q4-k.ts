import { fromF16Bits, toF16Bits } from '../f16.js';
import { packedCodec } from './codec.js';
import { bestRange } from './fit.js';
import { evenLevels, halfAt, splitNibbles } from './packed.js';
import { nearestInt } from './rounding.js';
import { joinSixBits, splitSixBits } from './six-bit-scales.js';

/**
 * Q4_K: f16 d and dmin, 8 groups of 32 with 6-bit scale and minimum, 128 bytes of nibbles;
 * value = d * sc * q - dmin * m. Rounding as in quantize_row_q4_K_ref.
 */
const ELEMENTS = 256;
const BYTES = 144;
const GROUP = 32;
const GROUPS = ELEMENTS / GROUP;

export const Q4_K = packedCodec(
  12,
  {
    elements: ELEMENTS,
    bytes: BYTES,
    group: GROUP,
    levels: evenLevels(4, 0),
    grouped: true,
    shifted: true,
    split(bytes, at, block, parts) {
      parts.scales[block] = halfAt(bytes, at);
      parts.mins[block] = halfAt(bytes, at + 2);
      splitSixBits(bytes, at + 4, block, parts);
      for (let run = 0; run < 4; run++)
        splitNibbles(bytes, at + 16 + run * GROUP, GROUP, parts.codes, block * ELEMENTS + run * 64);
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
  const scales = new Float32Array(GROUPS);
  const mins = new Float32Array(GROUPS);
  const weights = new Float32Array(GROUP);
  for (let g = 0; g < GROUPS; g++) {
    const group = x.subarray(g * GROUP, (g + 1) * GROUP);
    let squares = 0;
    for (const value of group) squares = fround(squares + fround(value * value));
    const typical = fround(Math.sqrt(fround(squares / GROUP)));
    for (let l = 0; l < GROUP; l++) weights[l] = typical + Math.abs(group[l]);
    const fit = bestRange(group, weights, 15, codes.subarray(g * GROUP, (g + 1) * GROUP));
    scales[g] = fit.scale;
    mins[g] = fit.min;
  }
  const greatest = (of: Float32Array) => of.reduce((a, b) => (b > a ? b : a), 0);
  const [maxScale, maxMin] = [greatest(scales), greatest(mins)];
  const stored = (of: Float32Array, max: number) => {
    const inverse = max > 0 ? fround(63 / max) : 0;
    // A negative one wraps around in ggml's byte, and is cut to 63 like one too large.
    return Uint8Array.from(of, (value) => Math.min(63, nearestInt(fround(inverse * value)) & 255));
  };
  const [groupScales, groupMins] = [stored(scales, maxScale), stored(mins, maxMin)];
  const view = new DataView(bytes.buffer);
  const [d, dmin] = [toF16Bits(fround(maxScale / 63)), toF16Bits(fround(maxMin / 63))];
  view.setUint16(at, d, true);
  view.setUint16(at + 2, dmin, true);
  joinSixBits(bytes, at + 4, groupScales, groupMins);
  for (let g = 0; g < GROUPS; g++) {
    const scale = fround(fromF16Bits(d) * groupScales[g]);
    if (scale === 0) continue;
    const min = fround(fromF16Bits(dmin) * groupMins[g]);
    for (let i = g * GROUP; i < (g + 1) * GROUP; i++) {
      const code = nearestInt(fround(fround(x[i] + min) / scale));
      codes[i] = Math.max(0, Math.min(15, code));
    }
  }
  for (let run = 0; run < 4; run++) {
    for (let l = 0; l < GROUP; l++)
      bytes[at + 16 + run * GROUP + l] = codes[run * 64 + l] | (codes[run * 64 + GROUP + l] << 4);
  }
}
