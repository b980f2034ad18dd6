import { packedCodec } from './codec.js';
import { splitNibbles } from './packed.js';

/** Twice the values of E2M1, so that they are integers; the scale is halved (kvalues_mxfp4 of ggml-common.h). */
const LEVELS = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
const ELEMENTS = 32;

/** MXFP4: an exponent e and 16 bytes of E2M1 nibbles; value = 2^(e - 128) * level. */
export const MXFP4 = packedCodec(39, {
  elements: ELEMENTS,
  bytes: 17,
  group: ELEMENTS,
  levels: LEVELS,
  grouped: false,
  shifted: false,
  split(bytes, at, block, { codes, scales }) {
    scales[block] = 2 ** (bytes[at] - 128);
    splitNibbles(bytes, at + 1, 16, codes, block * ELEMENTS);
  },
});
