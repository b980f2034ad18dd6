import { DataError } from '../errors.js';
import type { ModelConfig } from './config.js';
import { elementsOf } from './dtype.js';
import type { DType } from './graph.js';
import { weightShapes } from './weight-ids.js';

/** How a weight is stored. */
export interface WeightInfo {
  /** Row-major; matrices [out, in]. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly bytes: number;
}

/** Where the stored bytes of a weight lie in a file. */
export interface WeightPlace {
  readonly path: string;
  /** Of the first byte. */
  readonly offset: number;
  readonly bytes: number;
}

/** Weights of a model under canonical ids (see weight-ids.ts), whatever the file calls them and stores them as. */
export interface WeightSource {
  /** What errors call it: usually the file. */
  readonly label: string;
  names(): readonly string[];
  /** Undefined when there is no such weight. */
  info(id: string): WeightInfo | undefined;
  /** Values in f32, dequantised or upcast. @throws DataError when missing or damaged */
  read(id: string): Promise<Float32Array>;
  /** Stored bytes, as in the file. @throws DataError when missing or damaged */
  readRaw(id: string): Promise<Uint8Array>;
  /**
   * Bytes of `count` rows from row `first` of what `readRaw` gives, a row being the last dimension: for sources that
   * need not read the whole weight. Call it through `rowsOf`.
   */
  readRows?(id: string, first: number, count: number): Promise<Uint8Array>;
  /** Where what `readRaw` gives lies in a file, byte by byte; undefined for what is changed while it is read. */
  place?(id: string): WeightPlace | undefined;
  /** The files that hold the weights, in order; none of weights that are in no file. */
  readonly files?: readonly string[];
  /** Closes the files. */
  close(): Promise<void>;
}

/** Rows of a weight that has no fewer; reads the whole weight only where the source knows no other way. */
export async function rowsOf(
  source: WeightSource,
  id: string,
  first: number,
  count: number,
): Promise<Uint8Array> {
  if (source.readRows !== undefined) return source.readRows(id, first, count);
  const shape = source.info(id)?.shape ?? [];
  const bytes = await source.readRaw(id);
  const rowBytes = bytes.length / rowCount(shape);
  return bytes.subarray(first * rowBytes, (first + count) * rowBytes);
}

/** Rows of a tensor as a matrix of its last dimension; 1 for a vector. */
export function rowCount(shape: readonly number[]): number {
  return elementsOf(shape.slice(0, -1));
}

/** Values held at a time while a weight is converted. */
const PIECE_ELEMENTS = 1 << 22;

/** A run of rows of a weight. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/**
 * A weight cut into runs of rows small enough to hold.
 * @param unit rows that stay together, e.g. those of a head
 * @param most values of a run
 */
export function* rowRanges(shape: readonly number[], unit = 1, most = PIECE_ELEMENTS): Generator<RowRange> {
  const rows = rowCount(shape);
  const width = shape.at(-1) ?? 1;
  const count = Math.max(1, Math.floor(most / (width * unit))) * unit;
  for (let first = 0; first < rows; first += count) yield { first, count: Math.min(count, rows - first) };
}

/**
 * Checks that every weight of the model is there in its shape; further weights are allowed.
 * @throws DataError naming the file, the weight and the reason
 */
export function checkWeights(config: ModelConfig, source: WeightSource): void {
  for (const [id, shape] of weightShapes(config)) {
    const info = source.info(id);
    if (info === undefined) throw new DataError(`${source.label}: weight ${id} of ${config.name} is missing`);
    if (info.shape.length !== shape.length || info.shape.some((extent, i) => extent !== shape[i])) {
      throw new DataError(
        `${source.label}: weight ${id} has shape [${info.shape.join(', ')}], ${config.name} needs [${shape.join(', ')}]`,
      );
    }
  }
}

/** Why a tensor is refused: better no logits than wrong ones. */
export function noSuchWeight({ arch }: ModelConfig): string {
  return `${arch} models of this configuration have no such weight here, and without it the logits would be others`;
}

/** Weights held in memory, in f32: for tests, training and freshly converted models. */
export function memoryWeights(
  label: string,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>,
): WeightSource {
  const at = (id: string) => {
    const tensor = tensors.get(id);
    if (tensor === undefined) throw new DataError(`${label}: weight ${id} is missing`);
    return tensor;
  };
  return {
    label,
    names: () => [...tensors.keys()],
    info: (id) => {
      const tensor = tensors.get(id);
      return tensor && { shape: tensor.shape, dtype: 'f32', bytes: tensor.values.byteLength };
    },
    read: async (id) => at(id).values,
    readRaw: async (id) => {
      const { buffer, byteOffset, byteLength } = at(id).values;
      return new Uint8Array(buffer, byteOffset, byteLength);
    },
    close: async () => {},
  };
}
