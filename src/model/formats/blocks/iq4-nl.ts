import { packedCodec } from './codec.js';
import { halfAt, splitNibbles } from './packed.js';

/** Levels of IQ4_NL and IQ4_XS (kvalues_iq4nl of ggml-common.h). */
export const IQ4_LEVELS = Int8Array.of(
  -127,
  -104,
  -83,
  -65,
  -49,
  -35,
  -22,
  -10,
  1,
  13,
  25,
  38,
  53,
  69,
  89,
  113,
);

const ELEMENTS = 32;

/** IQ4_NL: Q4_0 with unevenly spaced levels. */
export const IQ4_NL = packedCodec(20, {
  elements: ELEMENTS,
  bytes: 18,
  group: ELEMENTS,
  levels: IQ4_LEVELS,
  grouped: false,
  shifted: false,
  split(bytes, at, block, { codes, scales }) {
    scales[block] = halfAt(bytes, at);
    splitNibbles(bytes, at + 2, 16, codes, block * ELEMENTS);
  },
});
