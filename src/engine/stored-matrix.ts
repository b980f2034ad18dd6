import { CODECS, type WeightDType } from '../model/formats/blocks/index.js';
import { type DecodeRoom, roomFor } from '../model/formats/blocks/packed.js';
import { decodeWeight } from '../model/formats/codec.js';
import type { DType } from '../model/graph.js';
import { rowCount, type WeightSource } from '../model/weights.js';
import { RangeFiles } from './range-files.js';

/** A matrix, or a stack of them, that stays as it is stored; its rows are decoded each time they are needed. */
export interface StoredMatrix {
  readonly rows: number;
  readonly width: number;
  /** Values of `count` rows from row `first`, row-major, good until the next call on any matrix of the model. @throws DataError for damaged rows, or a file that was changed */
  values(first: number, count: number): Float32Array;
}

/** Whether a format is one of files that are large because their models are: no engine widens it as a whole. */
export function staysStored(dtype: DType): boolean {
  return dtype !== 'i32' && dtype !== 'q4_0' && dtype !== 'q8_0' && CODECS[dtype].packed !== null;
}

/**
 * Which weights engines that compute in f32 keep as stored: in a file with any matrix of such a format, every matrix but
 * those in f32, as a few in Q8_0 or F16 beside K-quants would take several times their share of the file. In files
 * without one, none: Q4_0 and Q8_0, the formats of experiments, are decoded once, several times faster.
 */
export function keptAsStored(source: WeightSource): (id: string) => boolean {
  const dtypeOf = (id: string): DType => source.info(id)?.dtype ?? 'f32';
  const large = source.names().some((id) => staysStored(dtypeOf(id)));
  return (id) =>
    large && (source.info(id)?.shape.length ?? 0) > 1 && dtypeOf(id) !== 'f32' && dtypeOf(id) !== 'i32';
}

/** What `load` makes of a model's stored matrices; their files are closed when it fails, and else by whoever got them. */
export async function withStoredMatrices<T>(
  source: WeightSource,
  load: (matrices: StoredMatrices) => Promise<T>,
): Promise<T> {
  const matrices = new StoredMatrices(source);
  try {
    return await load(matrices);
  } catch (error) {
    matrices.close();
    throw error;
  }
}

/** The matrices of a model that stay as they are stored: in their file where they lie in one, else in memory. */
export class StoredMatrices {
  private readonly files = new RangeFiles();
  private readonly rooms = new Map<WeightDType, DecodeRoom>();
  private readonly isKept: (id: string) => boolean;

  constructor(private readonly source: WeightSource) {
    this.isKept = keptAsStored(source);
  }

  /** Null for a weight that is decoded once. @throws DataError when it is missing or damaged */
  async open(id: string): Promise<StoredMatrix | null> {
    const info = this.source.info(id);
    if (info === undefined || info.dtype === 'i32' || !this.isKept(id)) return null;
    const { dtype, shape } = info;
    const [rows, width] = [rowCount(shape), shape.at(-1) ?? 1];
    const rowBytes = info.bytes / rows;
    const label = `${this.source.label}: ${id}`;
    const bytes = await this.bytesOf(id);
    return {
      rows,
      width,
      values: (first, count) =>
        decodeWeight(
          dtype,
          bytes(first * rowBytes, count * rowBytes),
          label,
          first * width,
          this.room(dtype, count * width),
        ),
    };
  }

  /** Closes the files; the matrices are of no use then. */
  close(): void {
    this.files.close();
    this.rooms.clear();
  }

  /** Room for so many values of a packed format: one place for all matrices, as they are decoded one after the other. */
  private room(dtype: WeightDType, values: number): DecodeRoom | undefined {
    const { packed } = CODECS[dtype];
    if (packed === null) return undefined;
    const found = this.rooms.get(dtype);
    if (found !== undefined && found.values.length >= values) return found;
    const made = roomFor(packed, values);
    this.rooms.set(dtype, made);
    return made;
  }

  /** A weight by ranges of its bytes; what comes back is good until the next call. */
  private async bytesOf(id: string): Promise<(offset: number, length: number) => Uint8Array> {
    const place = this.source.place?.(id);
    if (place !== undefined) return this.files.range(place);
    const bytes = await this.source.readRaw(id);
    return (offset, length) => bytes.subarray(offset, offset + length);
  }
}
