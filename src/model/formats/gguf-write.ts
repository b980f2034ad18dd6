import { UsageError } from '../../errors.js';
import { type WriteProgress, writeFileInPieces } from '../../util/write-file.js';
import { bytesOf } from '../dtype.js';
import { CODECS, type WeightDType } from './blocks/index.js';
import {
  alignUp,
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  GGUF_VERSION,
  type GgufMetadata,
  type GgufScalar,
  MAX_DIMENSIONS,
  MAX_NAME_BYTES,
  type ScalarType,
  VALUE_TYPES,
} from './gguf-types.js';

export interface GgufTensorToWrite {
  readonly shape: readonly number[];
  readonly dtype: WeightDType;
  /** Stored bytes, whole or piece by piece; called once, when the tensor's turn to be written comes. */
  readonly bytes: () => Promise<Uint8Array> | AsyncIterable<Uint8Array>;
}

/**
 * Writes a GGUF v3 file, aligned as `general.alignment` says (default 32 bytes), metadata and tensors in the given order.
 * @throws UsageError for a name, shape or value the format cannot hold
 */
export async function writeGguf(
  path: string,
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, GgufTensorToWrite>,
  { onProgress, signal }: WriteProgress = {},
): Promise<void> {
  const total = [...tensors.values()].reduce((sum, { shape, dtype }) => sum + bytesOf(shape, dtype), 0);
  let done = 0;
  const named = metadata.get('general.alignment')?.value;
  const alignment = typeof named === 'number' ? named : DEFAULT_ALIGNMENT;
  const header = encodeHeader(metadata, tensors, alignment);
  await writeFileInPieces(path, async (file) => {
    await file.writeFile(header);
    for (const [name, tensor] of tensors) {
      signal?.throwIfAborted();
      const expected = bytesOf(tensor.shape, tensor.dtype);
      let written = 0;
      for await (const bytes of piecesOf(tensor.bytes())) {
        signal?.throwIfAborted();
        await file.writeFile(bytes);
        written += bytes.length;
        onProgress?.(done + written, total);
      }
      if (written !== expected) throw new Error(`${name}: ${written} bytes instead of ${expected}`);
      await file.writeFile(Buffer.alloc(alignUp(written, alignment) - written));
      done += written;
    }
  });
}

/** What comes whole, as one piece. */
export async function* piecesOf<T>(source: T | Promise<T> | AsyncIterable<T>): AsyncGenerator<T> {
  const given = await source;
  if (typeof given === 'object' && given !== null && Symbol.asyncIterator in given) yield* given;
  else yield given;
}

/** Header, metadata and tensor list, padded to where the data begins. */
export function encodeHeader(
  metadata: GgufMetadata,
  tensors: ReadonlyMap<string, Omit<GgufTensorToWrite, 'bytes'>>,
  alignment: number,
): Buffer {
  const parts: Buffer[] = [
    scalar('u32', GGUF_MAGIC),
    scalar('u32', GGUF_VERSION),
    scalar('u64', tensors.size),
    scalar('u64', metadata.size),
  ];
  for (const [key, entry] of metadata) {
    parts.push(scalar('string', key), scalar('u32', VALUE_TYPES[entry.type]));
    if (entry.type === 'array') {
      parts.push(scalar('u32', VALUE_TYPES[entry.element]), scalar('u64', entry.value.length));
      for (const value of entry.value) parts.push(scalar(entry.element, value));
    } else {
      parts.push(scalar(entry.type, entry.value));
    }
  }
  let offset = 0;
  for (const [name, { shape, dtype }] of tensors) {
    if (Buffer.byteLength(name) > MAX_NAME_BYTES)
      throw new UsageError(`tensor name ${name} is too long for GGUF`);
    if (shape.length < 1 || shape.length > MAX_DIMENSIONS)
      throw new UsageError(`${name}: ${shape.length} dimensions`);
    parts.push(scalar('string', name), scalar('u32', shape.length));
    for (const extent of [...shape].reverse()) parts.push(scalar('u64', extent));
    parts.push(scalar('u32', CODECS[dtype].id), scalar('u64', offset));
    offset = alignUp(offset + bytesOf(shape, dtype), alignment);
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(alignUp(header.length, alignment) - header.length)]);
}

function scalar(type: ScalarType, value: GgufScalar): Buffer {
  if (type === 'string') {
    const text = Buffer.from(String(value), 'utf8');
    return Buffer.concat([scalar('u64', text.length), text]);
  }
  const bytes = Buffer.alloc(8);
  if (type === 'u64') return bytes.subarray(0, bytes.writeBigUInt64LE(BigInt(value)));
  if (type === 'i64') return bytes.subarray(0, bytes.writeBigInt64LE(BigInt(value)));
  const number = Number(value);
  switch (type) {
    case 'u8':
    case 'bool':
      return bytes.subarray(0, bytes.writeUInt8(number));
    case 'i8':
      return bytes.subarray(0, bytes.writeInt8(number));
    case 'u16':
      return bytes.subarray(0, bytes.writeUInt16LE(number));
    case 'i16':
      return bytes.subarray(0, bytes.writeInt16LE(number));
    case 'u32':
      return bytes.subarray(0, bytes.writeUInt32LE(number));
    case 'i32':
      return bytes.subarray(0, bytes.writeInt32LE(number));
    case 'f32':
      return bytes.subarray(0, bytes.writeFloatLE(number));
    case 'f64':
      return bytes.subarray(0, bytes.writeDoubleLE(number));
  }
}
