import { DataError, UsageError } from '../../errors.js';
import { CODECS, type WeightDType } from './blocks/index.js';
import type { DecodeRoom } from './blocks/packed.js';

/**
 * Values of a stored weight.
 * @param label what errors call it, e.g. `model.gguf: blk.0.attn_q.weight`
 * @param first index of the first value in its weight, for messages
 * @param room of a packed format: where to, good until it is used again
 * @throws DataError for a partial block or a value or scale that is not finite
 */
export function decodeWeight(
  dtype: WeightDType,
  bytes: Uint8Array,
  label: string,
  first = 0,
  room?: DecodeRoom,
): Float32Array {
  const block = CODECS[dtype];
  if (bytes.length % block.bytes !== 0) {
    throw new DataError(`${label}: ${bytes.length} bytes are not a whole number of ${dtype} blocks`);
  }
  const values = block.decode(bytes, room);
  requireFinite(values, label, `${dtype} value or scale`, first);
  return values;
}

/**
 * Stored bytes of a weight.
 * @throws UsageError for a format that is only read; DataError for a partial block, a value that is not finite, or one too large for the format
 */
export function encodeWeight(dtype: WeightDType, values: Float32Array, label: string): Uint8Array {
  const block = CODECS[dtype];
  if (values.length % block.elements !== 0) {
    throw new DataError(`${label}: ${values.length} values are not a whole number of ${dtype} blocks`);
  }
  requireFinite(values, label, 'value');
  if (block.encode === null) throw new UsageError(`${label}: nothing here writes ${dtype}`);
  const bytes = block.encode(values);
  if (dtype !== 'f32')
    requireFinite(block.decode(bytes), label, `value as ${dtype}, its magnitude too large,`);
  return bytes;
}

function requireFinite(values: Float32Array, label: string, what: string, first = 0): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new DataError(`${label}: non-finite ${what} at element ${first + i}`);
  }
}
