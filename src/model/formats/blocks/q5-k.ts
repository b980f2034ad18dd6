import { packedCodec } from './codec.js';
import { evenLevels, halfAt, splitNibbles } from './packed.js';
import { splitSixBits } from './six-bit-scales.js';

/** Q5_K: Q4_K with 32 bytes of fifth bits before the nibbles, one bit per group. */
const ELEMENTS = 256;
const GROUP = 32;

export const Q5_K = packedCodec(13, {
  elements: ELEMENTS,
  bytes: 176,
  group: GROUP,
  levels: evenLevels(5, 0),
  grouped: true,
  shifted: true,
  split(bytes, at, block, parts) {
    const { codes } = parts;
    const to = block * ELEMENTS;
    parts.scales[block] = halfAt(bytes, at);
    parts.mins[block] = halfAt(bytes, at + 2);
    splitSixBits(bytes, at + 4, block, parts);
    for (let run = 0; run < 4; run++) splitNibbles(bytes, at + 48 + run * GROUP, GROUP, codes, to + run * 64);
    for (let g = 0; g < 8; g++) {
      for (let l = 0; l < GROUP; l++) codes[to + g * GROUP + l] |= ((bytes[at + 16 + l] >>> g) & 1) << 4;
    }
  },
});
