import { packedCodec } from './codec.js';
import { IQ4_LEVELS } from './iq4-nl.js';
import { halfAt, splitNibbles } from './packed.js';

/** IQ4_XS: f16 d, 8 scales of 6 bits (upper pairs in 2 bytes, nibbles in 4), nibbles; value = d * (sc - 32) * level. */
const ELEMENTS = 256;

export const IQ4_XS = packedCodec(23, {
  elements: ELEMENTS,
  bytes: 136,
  group: 32,
  levels: IQ4_LEVELS,
  grouped: true,
  shifted: false,
  split(bytes, at, block, { codes, scales, groupScales }) {
    scales[block] = halfAt(bytes, at);
    const upper = bytes[at + 2] | (bytes[at + 3] << 8);
    for (let g = 0; g < 8; g++) {
      const low = (bytes[at + 4 + (g >>> 1)] >>> (4 * (g & 1))) & 15;
      groupScales[block * 8 + g] = (low | (((upper >>> (2 * g)) & 3) << 4)) - 32;
      splitNibbles(bytes, at + 8 + g * 16, 16, codes, block * ELEMENTS + g * 32);
    }
  },
});
