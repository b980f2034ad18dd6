import { packedCodec } from './codec.js';
import { evenLevels, halfAt } from './packed.js';
import { splitPairs } from './q2-k.js';

/**
 * Q3_K: 32 bytes of third bits, 64 of 2-bit codes, 16 scales of 6 bits in 12 bytes, f16 d;
 * value = d * (sc - 32) * (q - 4).
 */
const ELEMENTS = 256;

export const Q3_K = packedCodec(11, {
  elements: ELEMENTS,
  bytes: 110,
  group: 16,
  levels: evenLevels(3, -4),
  grouped: true,
  shifted: false,
  split(bytes, at, block, { codes, scales, groupScales }) {
    const to = block * ELEMENTS;
    splitPairs(bytes, at + 32, codes, to);
    for (let run = 0; run < 8; run++) {
      for (let l = 0; l < 32; l++) codes[to + run * 32 + l] |= ((bytes[at + l] >>> run) & 1) << 2;
    }
    const packed = at + 96;
    for (let g = 0; g < 16; g++) {
      const low = g < 8 ? bytes[packed + g] & 15 : bytes[packed + g - 8] >>> 4;
      const high = (bytes[packed + 8 + (g & 3)] >>> (2 * (g >>> 2))) & 3;
      groupScales[block * 16 + g] = (low | (high << 4)) - 32;
    }
    scales[block] = halfAt(bytes, at + 108);
  },
});
