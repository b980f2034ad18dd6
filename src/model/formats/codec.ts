import { DataError } from '../../errors.js';
import { blockOf } from '../dtype.js';
import type { DType } from '../graph.js';
import { decodeBf16, decodeF16, decodeF32, encodeBf16, encodeF16, encodeF32 } from './plain-floats.js';
import { decodeQ4_0, encodeQ4_0 } from './q4-0.js';
import { decodeQ8_0, encodeQ8_0 } from './q8-0.js';

/** Storage formats a weight can have. */
export type WeightDType = Exclude<DType, 'i32'>;

export const WEIGHT_DTYPES: readonly WeightDType[] = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'];

interface Codec {
  /** Little-endian bytes of whole blocks to values. */
  decode(bytes: Uint8Array): Float32Array;
  /** Finite values, a whole number of blocks, to bytes. */
  encode(values: Float32Array): Uint8Array;
}

const CODECS: Readonly<Record<WeightDType, Codec>> = {
  f32: { decode: decodeF32, encode: encodeF32 },
  f16: { decode: decodeF16, encode: encodeF16 },
  bf16: { decode: decodeBf16, encode: encodeBf16 },
  q8_0: { decode: decodeQ8_0, encode: encodeQ8_0 },
  q4_0: { decode: decodeQ4_0, encode: encodeQ4_0 },
};

/**
 * Values of a stored weight.
 * @param label what errors call it, e.g. `model.gguf: blk.0.attn_q.weight`
 * @param first index of the first value in its weight, for messages
 * @throws DataError for a partial block or a value or scale that is not finite
 */
export function decodeWeight(dtype: WeightDType, bytes: Uint8Array, label: string, first = 0): Float32Array {
  const block = blockOf(dtype);
  if (bytes.length % block.bytes !== 0) {
    throw new DataError(`${label}: ${bytes.length} bytes are not a whole number of ${dtype} blocks`);
  }
  const values = CODECS[dtype].decode(bytes);
  requireFinite(values, label, `${dtype} value or scale`, first);
  return values;
}

/**
 * Stored bytes of a weight.
 * @throws DataError for a partial block, a value that is not finite, or one too large for the format
 */
export function encodeWeight(dtype: WeightDType, values: Float32Array, label: string): Uint8Array {
  const block = blockOf(dtype);
  if (values.length % block.elements !== 0) {
    throw new DataError(`${label}: ${values.length} values are not a whole number of ${dtype} blocks`);
  }
  requireFinite(values, label, 'value');
  const bytes = CODECS[dtype].encode(values);
  if (dtype !== 'f32')
    requireFinite(CODECS[dtype].decode(bytes), label, `value as ${dtype}, its magnitude too large,`);
  return bytes;
}

function requireFinite(values: Float32Array, label: string, what: string, first = 0): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new DataError(`${label}: non-finite ${what} at element ${first + i}`);
  }
}
