import { CODECS } from '../model/formats/blocks/index.js';
import { decodeWeight } from '../model/formats/codec.js';
import type { DType } from '../model/graph.js';
import { rowCount, type WeightSource } from '../model/weights.js';

/** A matrix, or a stack of them, that stays as it is stored; its rows are decoded each time they are needed. */
export interface StoredMatrix {
  readonly rows: number;
  readonly width: number;
  /** Values of `count` rows from row `first`, row-major. */
  values(first: number, count: number): Float32Array;
}

/**
 * Whether engines that compute in f32 keep a weight as stored: the formats of files that are large because their models
 * are. Q4_0 and Q8_0, the formats of experiments, are decoded once: several times faster, in up to seven times the memory.
 */
export function staysStored(dtype: DType): boolean {
  return dtype !== 'i32' && dtype !== 'q4_0' && dtype !== 'q8_0' && CODECS[dtype].packed !== null;
}

/** Null for a weight that is decoded once. @throws DataError when it is missing or damaged */
export async function storedMatrix(source: WeightSource, id: string): Promise<StoredMatrix | null> {
  const info = source.info(id);
  if (info === undefined || info.dtype === 'i32' || info.shape.length < 2 || !staysStored(info.dtype))
    return null;
  const { dtype, shape } = info;
  const bytes = await source.readRaw(id);
  const [rows, width] = [rowCount(shape), shape.at(-1) ?? 1];
  const rowBytes = bytes.length / rows;
  const label = `${source.label}: ${id}`;
  return {
    rows,
    width,
    values: (first, count) =>
      decodeWeight(dtype, bytes.subarray(first * rowBytes, (first + count) * rowBytes), label, first * width),
  };
}
