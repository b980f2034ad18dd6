import { DataError } from '../../errors.js';
import { elementsOf } from '../dtype.js';
import type { ByteFile } from './byte-file.js';
import { GgufCursor } from './gguf-cursor.js';
import {
  alignUp,
  blockOfType,
  DEFAULT_ALIGNMENT,
  GGUF_MAGIC,
  type GgufArray,
  type GgufHeader,
  type GgufMetadata,
  type GgufValue,
  type ListedTensor,
  MAX_DIMENSIONS,
  MAX_NAME_BYTES,
  READ_VERSIONS,
  rememberCount,
  type ScalarType,
  typeName,
  VALUE_TYPES,
} from './gguf-types.js';

/** Smallest possible entries: key length + type + one byte; name length + dimensions + type + offset. */
const MIN_KEY_VALUE_BYTES = 8 + 4 + 1;
const MIN_TENSOR_BYTES = 8 + 4 + 8 + 4 + 8;
const MAX_KEY_BYTES = 65535;

interface DeclaredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

/**
 * Reads and checks everything before the tensor data, as strictly as ggml does: unique keys and names, offsets in order and aligned, no overlap, all data inside the file. No count or length is believed before
 * it is held against the bytes that are left. (`@huggingface/gguf` is not used: its window over a local file is
 * padded with zeros, so a truncated header parses as zeros, and it checks neither offsets nor duplicates.)
 * @throws DataError naming file, item and reason
 */
export async function parseGguf(file: ByteFile): Promise<GgufHeader> {
  const cursor = new GgufCursor(file);
  if ((await cursor.u32('magic')) !== GGUF_MAGIC) throw new DataError(`${file.path}: not a GGUF file`);
  const version = await cursor.u32('version');
  if (version % 0x10000 === 0)
    throw new DataError(`${file.path}: a big-endian GGUF file: only little-endian ones are read`);
  if (!READ_VERSIONS.includes(version)) {
    throw new DataError(
      `${file.path}: GGUF version ${version} is not supported (${READ_VERSIONS.join(', ')})`,
    );
  }
  const tensorCount = await cursor.count('tensor count');
  const keyCount = await cursor.count('metadata count');
  const needed = tensorCount * MIN_TENSOR_BYTES + keyCount * MIN_KEY_VALUE_BYTES;
  if (needed > cursor.remaining) {
    throw new DataError(
      `${file.path}: ${tensorCount} tensors and ${keyCount} keys cannot fit in ${file.size} bytes`,
    );
  }
  const metadata = await readMetadata(file, cursor, keyCount);
  const declared: DeclaredTensor[] = [];
  for (let i = 0; i < tensorCount; i++) declared.push(await readTensorInfo(file, cursor, i));
  const alignment = alignmentOf(file, metadata);
  return {
    version,
    metadata,
    tensors: placeTensors(file, declared, alignUp(cursor.offset, alignment), alignment),
  };
}

async function readMetadata(file: ByteFile, cursor: GgufCursor, count: number): Promise<GgufMetadata> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = await cursor.string(`metadata key ${i}`, MAX_KEY_BYTES);
    if (metadata.has(key)) throw new DataError(`${file.path}: metadata key ${key} appears twice`);
    const code = await cursor.u32(`type of ${key}`);
    if (code === VALUE_TYPES.array) {
      const element = scalarType(file, await cursor.u32(`element type of ${key}`), key);
      const length = await cursor.count(`length of ${key}`);
      const value =
        element === 'string'
          ? await lateTexts(file, cursor, length, key)
          : ({ type: 'array', element, value: await cursor.scalars(element, length, key) } as const);
      metadata.set(key, value);
    } else {
      const type = scalarType(file, code, key);
      metadata.set(key, { type, value: await cursor.scalar(type, key) });
    }
  }
  return metadata;
}

/** A list of texts, decoded when it is asked for: a vocabulary has 10^5 of them, and a look at a model needs none. */
async function lateTexts(file: ByteFile, cursor: GgufCursor, count: number, key: string): Promise<GgufArray> {
  const start = cursor.offset;
  await cursor.passStrings(count, key);
  const bytes = await file.read(start, cursor.offset - start, key);
  let texts: readonly string[] | undefined;
  const list: GgufArray = {
    type: 'array',
    element: 'string',
    get value() {
      texts ??= textsIn(bytes, count, `${file.path}: ${key}`);
      return texts;
    },
  };
  rememberCount(list, count);
  return list;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textsIn(bytes: Uint8Array, count: number, label: string): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: string[] = [];
  for (let at = 0; texts.length < count; ) {
    // Lengths were looked at when they were passed over: the upper half is 0 in what fits a file.
    const length = view.getUint32(at, true) + 2 ** 32 * view.getUint32(at + 4, true);
    at += 8;
    try {
      texts.push(UTF8.decode(bytes.subarray(at, at + length)));
    } catch {
      throw new DataError(`${label} is not UTF-8`);
    }
    at += length;
  }
  return texts;
}

const SCALAR_TYPES: ReadonlyMap<number, ScalarType> = new Map(
  (Object.keys(VALUE_TYPES) as (keyof typeof VALUE_TYPES)[])
    .filter((name): name is ScalarType => name !== 'array')
    .map((name) => [VALUE_TYPES[name], name]),
);

function scalarType(file: ByteFile, code: number, key: string): ScalarType {
  const type = SCALAR_TYPES.get(code);
  if (type === undefined) throw new DataError(`${file.path}: ${key}: unsupported value type ${code}`);
  return type;
}

async function readTensorInfo(file: ByteFile, cursor: GgufCursor, index: number): Promise<DeclaredTensor> {
  const name = await cursor.string(`name of tensor ${index}`, MAX_NAME_BYTES);
  const dimensions = await cursor.u32(`dimensions of ${name}`);
  if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw new DataError(
      `${file.path}: ${name}: ${dimensions} dimensions, 1 to ${MAX_DIMENSIONS} are possible`,
    );
  }
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i++) shape.unshift(await cursor.count(`shape of ${name}`));
  const elements = elementsOf(shape);
  if (shape.some((extent) => extent < 1) || !Number.isSafeInteger(elements)) {
    throw new DataError(`${file.path}: ${name}: impossible shape [${shape.join(', ')}]`);
  }
  const code = await cursor.u32(`type of ${name}`);
  const block = blockOfType(code);
  if (block !== undefined && (shape.at(-1) ?? 0) % block.elements !== 0) {
    throw new DataError(
      `${file.path}: ${name}: rows of ${shape.at(-1)} are not whole ${typeName(code)} blocks`,
    );
  }
  return { name, shape, type: code, offset: await cursor.count(`offset of ${name}`) };
}

function alignmentOf(file: ByteFile, metadata: GgufMetadata): number {
  const value = metadata.get('general.alignment')?.value;
  if (value === undefined) return DEFAULT_ALIGNMENT;
  if (typeof value !== 'number' || value < 1 || value > 1 << 20 || !Number.isInteger(Math.log2(value))) {
    throw new DataError(`${file.path}: general.alignment ${String(value)} is not a power of two up to 2^20`);
  }
  return value;
}

function placeTensors(
  file: ByteFile,
  declared: readonly DeclaredTensor[],
  dataStart: number,
  alignment: number,
): ReadonlyMap<string, ListedTensor> {
  const tensors = new Map<string, ListedTensor>();
  let expected = 0;
  for (const [i, { name, shape, type, offset }] of declared.entries()) {
    if (tensors.has(name)) throw new DataError(`${file.path}: tensor ${name} appears twice`);
    if (offset !== expected) {
      const reason =
        offset < expected ? 'overlaps the tensor before it' : 'leaves a gap after the tensor before it';
      throw new DataError(`${file.path}: ${name}: offset ${offset} ${reason}, ${expected} is due`);
    }
    const block = blockOfType(type);
    // Up to the next tensor where nobody knows the type; the offsets of the others are still checked.
    const bytes =
      block === undefined
        ? Math.max(0, (declared[i + 1]?.offset ?? file.size - dataStart) - offset)
        : (elementsOf(shape) / block.elements) * block.bytes;
    if (dataStart + offset + bytes > file.size) {
      throw new DataError(
        `${file.path}: ${name}: file is truncated, data ends at ${dataStart + offset + bytes} of ${file.size} bytes`,
      );
    }
    tensors.set(name, { name, shape, type, offset: dataStart + offset, bytes });
    expected = alignUp(offset + bytes, alignment);
  }
  return tensors;
}
