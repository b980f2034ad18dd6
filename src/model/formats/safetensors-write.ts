import { type WriteProgress, writeFileInPieces } from '../../util/write-file.js';
import { bytesOf } from '../dtype.js';
import { encodeWeight } from './codec.js';
import { piecesOf } from './gguf-write.js';

export interface SafetensorsTensor {
  readonly shape: readonly number[];
  readonly dtype: 'f32' | 'f16' | 'bf16';
  /** Whole or piece by piece; called once, when the tensor's turn to be written comes. */
  readonly values: () => Float32Array | Promise<Float32Array> | AsyncIterable<Float32Array>;
}

/**
 * Writes a safetensors file, tensors in the given order. The header is padded with spaces to 8 bytes so that the
 * data is aligned, as the reference implementation does.
 * @throws DataError for values that are not finite or do not fit the dtype
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, SafetensorsTensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
  { onProgress, signal }: WriteProgress = {},
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, dtype }] of tensors) {
    const start = end;
    end += bytesOf(shape, dtype);
    header[name] = { dtype: dtype.toUpperCase(), shape, data_offsets: [start, end] };
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await writeFileInPieces(path, async (file) => {
    await file.writeFile(length);
    await file.writeFile(padded);
    let done = 0;
    for (const [name, { dtype, shape, values }] of tensors) {
      signal?.throwIfAborted();
      let written = 0;
      for await (const piece of piecesOf(values())) {
        signal?.throwIfAborted();
        const bytes = encodeWeight(dtype, piece, `${path}: ${name}`);
        await file.writeFile(bytes);
        written += bytes.length;
        onProgress?.(done + written, end);
      }
      if (written !== bytesOf(shape, dtype))
        throw new Error(`${name}: values do not fill [${shape.join(', ')}]`);
      done += written;
    }
  });
}
