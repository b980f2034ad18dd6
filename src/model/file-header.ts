import { existsSync } from 'node:fs';
import { isDirectory } from '../util/read-file.js';
import { ByteFile } from './formats/byte-file.js';
import { openParts } from './formats/gguf-parts.js';
import { type GgufMetadata, typeName } from './formats/gguf-types.js';
import { readSafetensorsHeader } from './formats/safetensors-header.js';
import { ggufIn } from './load.js';

/** What a weights file says of itself, whether or not its model can be run. */
export interface FileHeader {
  readonly format: 'gguf' | 'safetensors';
  /** Of a GGUF file. */
  readonly version?: number;
  readonly files: readonly string[];
  /** Empty for safetensors. */
  readonly metadata: GgufMetadata;
  readonly tensors: readonly {
    readonly name: string;
    /** As the format names it; of a type that nobody knows, its number. */
    readonly type: string;
    /** Row-major, slowest dimension first. */
    readonly shape: readonly number[];
    readonly bytes: number;
  }[];
}

/**
 * Header of a .gguf file of any content, split or not, of a directory with one, or of a .safetensors file; null for
 * other paths. Reads nothing of the weights.
 * @throws EnvironmentError when it cannot be read; DataError when it is not such a file, or damaged
 */
export async function readFileHeader(path: string): Promise<FileHeader | null> {
  if (path.endsWith('.safetensors')) return safetensorsHeader(path);
  if (path.endsWith('.gguf')) return ggufHeader(path);
  if (!existsSync(path) || !isDirectory(path)) return null;
  const gguf = ggufIn(path);
  return gguf === null ? null : ggufHeader(gguf);
}

async function ggufHeader(path: string): Promise<FileHeader> {
  const { files, version, metadata, tensors } = await openParts(path);
  await Promise.all(files.map((file) => file.close()));
  return {
    format: 'gguf',
    version,
    files: files.map((file) => file.path),
    metadata,
    tensors: [...tensors.values()].map(({ name, type, shape, bytes }) => ({
      name,
      type: typeName(type),
      shape,
      bytes,
    })),
  };
}

async function safetensorsHeader(path: string): Promise<FileHeader> {
  const file = await ByteFile.open(path);
  try {
    const entries = await readSafetensorsHeader(file);
    const tensors = [...entries].map(([name, { dtype, shape, bytes }]) => ({
      name,
      type: dtype,
      shape,
      bytes,
    }));
    return { format: 'safetensors', files: [path], metadata: new Map(), tensors };
  } finally {
    await file.close();
  }
}
