import { DataError } from '../errors.js';
import type { ModelConfig } from './config.js';
import type { DType } from './graph.js';
import { weightShapes } from './weight-ids.js';

/** How a weight is stored. */
export interface WeightInfo {
  /** Row-major; matrices [out, in]. */
  readonly shape: readonly number[];
  readonly dtype: DType;
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
  /** Closes the file. */
  close(): Promise<void>;
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
