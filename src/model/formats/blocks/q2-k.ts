import { packedCodec } from './codec.js';
import { evenLevels, halfAt } from './packed.js';

/**
 * Q2_K: 16 groups of 16 with a nibble of scale and one of minimum each, 64 bytes of 2-bit codes, f16 d and dmin;
 * value = d * sc * q - dmin * m.
 */
const ELEMENTS = 256;

export const Q2_K = packedCodec(10, {
  elements: ELEMENTS,
  bytes: 84,
  group: 16,
  levels: evenLevels(2, 0),
  grouped: true,
  shifted: true,
  groupBits: 4,
  split(bytes, at, block, { codes, scales, groupScales, mins, groupMins }) {
    for (let g = 0; g < 16; g++) {
      groupScales[block * 16 + g] = bytes[at + g] & 15;
      groupMins[block * 16 + g] = bytes[at + g] >>> 4;
    }
    splitPairs(bytes, at + 16, codes, block * ELEMENTS);
    scales[block] = halfAt(bytes, at + 80);
    mins[block] = halfAt(bytes, at + 82);
  },
});

/** 64 bytes of 2-bit codes: each 32 bytes hold 128 values, 32 per bit pair from the lowest. */
export function splitPairs(bytes: Uint8Array, from: number, codes: Uint8Array, to: number): void {
  for (let half = 0; half < 2; half++) {
    for (let pair = 0; pair < 4; pair++) {
      const out = to + half * 128 + pair * 32;
      for (let l = 0; l < 32; l++) codes[out + l] = (bytes[from + half * 32 + l] >>> (2 * pair)) & 3;
    }
  }
}
