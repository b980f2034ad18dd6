import { bytesOf } from './dtype.js';
import type { WeightDType } from './formats/blocks/index.js';
import { decodeWeight, encodeWeight } from './formats/codec.js';
import { storedDType } from './formats/convert.js';
import { rowsOf, type WeightSource } from './weights.js';

/** A source whose stored bytes are checked when they are copied: every value and scale must be finite. */
export function checkedWeights(source: WeightSource): WeightSource {
  return {
    label: source.label,
    names: () => source.names(),
    info: (id) => source.info(id),
    read: (id) => source.read(id),
    readRaw: async (id) => {
      const bytes = await source.readRaw(id);
      const dtype = source.info(id)?.dtype;
      if (dtype !== undefined && dtype !== 'i32') decodeWeight(dtype, bytes, `${source.label}: ${id}`);
      return bytes;
    },
    readRows: async (id, first, count) => {
      const bytes = await rowsOf(source, id, first, count);
      const info = source.info(id);
      if (info !== undefined && info.dtype !== 'i32')
        decodeWeight(info.dtype, bytes, `${source.label}: ${id}`, first * (info.shape.at(-1) ?? 1));
      return bytes;
    },
    close: () => source.close(),
  };
}

/**
 * A source in another format, converted weight by weight as it is read. What already has the format stays as it is.
 * @throws UsageError from `info` when rows are not whole blocks of the format
 */
export function requantised(source: WeightSource, quant: WeightDType): WeightSource {
  const wanted = (id: string, shape: readonly number[]): WeightDType => storedDType(id, shape, quant);
  const readRaw = async (id: string): Promise<Uint8Array> => {
    const info = source.info(id);
    if (info === undefined) return source.readRaw(id);
    const dtype = wanted(id, info.shape);
    if (info.dtype === dtype) return source.readRaw(id);
    return encodeWeight(dtype, await source.read(id), `${source.label}: ${id}`);
  };
  return {
    label: source.label,
    names: () => source.names(),
    info: (id) => {
      const info = source.info(id);
      if (info === undefined) return undefined;
      const dtype = wanted(id, info.shape);
      return { shape: info.shape, dtype, bytes: bytesOf(info.shape, dtype) };
    },
    read: async (id) => {
      const info = source.info(id);
      if (info === undefined) return source.read(id);
      return decodeWeight(wanted(id, info.shape), await readRaw(id), `${source.label}: ${id}`);
    },
    readRaw,
    readRows: async (id, first, count) => {
      const bytes = await rowsOf(source, id, first, count);
      const info = source.info(id);
      if (info === undefined || info.dtype === 'i32') return bytes;
      const dtype = wanted(id, info.shape);
      if (info.dtype === dtype) return bytes;
      const label = `${source.label}: ${id}`;
      return encodeWeight(
        dtype,
        decodeWeight(info.dtype, bytes, label, first * (info.shape.at(-1) ?? 1)),
        label,
      );
    },
    close: () => source.close(),
  };
}
