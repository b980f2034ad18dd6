import type { BlockCodec } from './codec.js';
import { IQ4_NL } from './iq4-nl.js';
import { IQ4_XS } from './iq4-xs.js';
import { MXFP4 } from './mxfp4.js';
import { BF16, F16, F32 } from './plain-floats.js';
import { Q2_K } from './q2-k.js';
import { Q3_K } from './q3-k.js';
import { Q4_0 } from './q4-0.js';
import { Q4_1 } from './q4-1.js';
import { Q4_K } from './q4-k.js';
import { Q5_0 } from './q5-0.js';
import { Q5_1 } from './q5-1.js';
import { Q5_K } from './q5-k.js';
import { Q6_K } from './q6-k.js';
import { Q8_0 } from './q8-0.js';

export type { BlockCodec } from './codec.js';

/** Storage formats a weight can have. A new one is one file here, one line below. */
export type WeightDType =
  | 'f32'
  | 'f16'
  | 'bf16'
  | 'q8_0'
  | 'q4_0'
  | 'q4_1'
  | 'q5_0'
  | 'q5_1'
  | 'q2_k'
  | 'q3_k'
  | 'q4_k'
  | 'q5_k'
  | 'q6_k'
  | 'iq4_nl'
  | 'iq4_xs'
  | 'mxfp4';

export const CODECS: Readonly<Record<WeightDType, BlockCodec>> = {
  f32: F32,
  f16: F16,
  bf16: BF16,
  q8_0: Q8_0,
  q4_0: Q4_0,
  q4_1: Q4_1,
  q5_0: Q5_0,
  q5_1: Q5_1,
  q2_k: Q2_K,
  q3_k: Q3_K,
  q4_k: Q4_K,
  q5_k: Q5_K,
  q6_k: Q6_K,
  iq4_nl: IQ4_NL,
  iq4_xs: IQ4_XS,
  mxfp4: MXFP4,
};

export const WEIGHT_DTYPES = Object.keys(CODECS) as readonly WeightDType[];

/** Formats that files are written in; the others are read. */
export const WRITTEN_DTYPES = WEIGHT_DTYPES.filter((dtype) => CODECS[dtype].encode !== null);
