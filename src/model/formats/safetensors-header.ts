import { z } from 'zod';
import { DataError } from '../../errors.js';
import { plainJson } from '../../util/plain-json.js';
import { elementsOf } from '../dtype.js';
import type { ByteFile } from './byte-file.js';

/** Same bound as the reference implementation (https://github.com/huggingface/safetensors). */
const MAX_HEADER_BYTES = 100_000_000;

const ELEMENT_BYTES: Readonly<Record<string, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

const length = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);
const entrySchema = z.strictObject({
  dtype: z.string(),
  shape: z.array(length).max(8),
  data_offsets: z.tuple([length, length]),
});
const headerSchema = z.record(z.string(), z.unknown());

export interface SafetensorsEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Absolute offset in the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads and checks the header: every tensor lies inside the file, has the size its shape says, and the tensors
 * cover the data without overlap or gap, as the format demands.
 * @throws DataError naming file, tensor and reason
 */
export async function readSafetensorsHeader(file: ByteFile): Promise<ReadonlyMap<string, SafetensorsEntry>> {
  const prefix = await file.read(0, 8, 'header length');
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > file.size - 8) {
    throw new DataError(
      `${file.path}: header of ${headerBytes} bytes cannot be: the file has ${file.size} bytes`,
    );
  }
  const json = parseJson(file.path, await file.read(8, headerBytes, 'header'));
  const dataStart = 8 + headerBytes;
  const entries = new Map<string, SafetensorsEntry>();
  for (const [name, value] of Object.entries(json)) {
    if (name === '__metadata__') continue;
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw new DataError(
        `${file.path}: ${name}: bad header entry (${issue?.path.join('.')}: ${issue?.message})`,
      );
    }
    entries.set(name, checkedEntry(file, name, parsed.data, dataStart));
  }
  checkCoverage(file, entries, dataStart);
  return entries;
}

function parseJson(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    return headerSchema.parse(plainJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
  } catch {
    throw new DataError(`${path}: header is not a JSON object`);
  }
}

function checkedEntry(
  file: ByteFile,
  name: string,
  { dtype, shape, data_offsets: [start, end] }: z.infer<typeof entrySchema>,
  dataStart: number,
): SafetensorsEntry {
  const elementBytes = ELEMENT_BYTES[dtype];
  if (elementBytes === undefined) throw new DataError(`${file.path}: ${name}: unknown dtype "${dtype}"`);
  const bytes = elementsOf(shape) * elementBytes;
  if (end - start !== bytes) {
    throw new DataError(
      `${file.path}: ${name}: ${dtype} [${shape.join(', ')}] needs ${bytes} bytes, its range has ${end - start}`,
    );
  }
  if (dataStart + end > file.size) {
    throw new DataError(
      `${file.path}: ${name}: file is truncated, data ends at ${dataStart + end} of ${file.size}`,
    );
  }
  return { dtype, shape, offset: dataStart + start, bytes };
}

function checkCoverage(
  file: ByteFile,
  entries: ReadonlyMap<string, SafetensorsEntry>,
  dataStart: number,
): void {
  const ordered = [...entries].sort(([, a], [, b]) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataStart;
  for (const [name, entry] of ordered) {
    if (entry.offset < end) throw new DataError(`${file.path}: ${name}: overlaps the tensor before it`);
    if (entry.offset > end)
      throw new DataError(`${file.path}: ${name}: ${entry.offset - end} unused bytes before it`);
    end = entry.offset + entry.bytes;
  }
  if (end !== file.size) throw new DataError(`${file.path}: ${file.size - end} bytes after the last tensor`);
}
