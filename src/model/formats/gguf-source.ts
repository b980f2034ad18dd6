import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import { rowCount, type WeightInfo, type WeightPlace, type WeightSource } from '../weights.js';
import { WEIGHT_DTYPES, type WeightDType } from './blocks/index.js';
import type { ByteFile } from './byte-file.js';
import { decodeWeight } from './codec.js';
import { configFromGguf, isRotaryReordered } from './gguf-config.js';
import { refuseUnknownTensors, splitFusedQkv } from './gguf-conventions.js';
import { openParts, type PlacedTensor } from './gguf-parts.js';
import { dtypeOf, type GgufMetadata, typeName } from './gguf-types.js';
import { ROPE_FACTORS, ropeFactorsOf, withRopeFactors } from './rope-factors.js';
import { halfSplitOrder, reorderRows } from './rope-permutation.js';

/** A tensor whose type is computed with. */
interface StoredTensor extends PlacedTensor {
  readonly dtype: WeightDType;
}

export interface OpenGguf {
  readonly config: ModelConfig;
  readonly metadata: GgufMetadata;
  readonly weights: WeightSource;
}

/**
 * Opens a GGUF model, in one file or in parts. Weights are read by range; rows of Q and K come out in half-split rotary order.
 * @throws EnvironmentError when it cannot be opened; DataError naming file, item and reason
 */
export async function openGguf(path: string): Promise<OpenGguf> {
  const { files, metadata, tensors: listed } = await openParts(path);
  try {
    const stored = runnable(listed);
    const described = configFromGguf(metadata, stored, path);
    const split = splitFusedQkv(described, stored, path);
    const factors = split.get(ROPE_FACTORS);
    if (factors === undefined && ropeFactorsOf(described) !== null)
      throw new DataError(`${path}: ${ROPE_FACTORS} is missing, the keys promise the scaling it holds`);
    const config =
      factors === undefined ? described : withRopeFactors(described, await readFactors(factors), path);
    const tensors = new Map([...split].filter(([name]) => name !== ROPE_FACTORS));
    refuseUnknownTensors(config, tensors, path);
    return { config, metadata, weights: new GgufSource(path, files, tensors, config) };
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

/** @throws DataError for a type that nothing here computes with */
function runnable(tensors: ReadonlyMap<string, PlacedTensor>): ReadonlyMap<string, StoredTensor> {
  const found = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const dtype = dtypeOf(tensor.type);
    if (dtype === undefined) {
      throw new DataError(
        `${tensor.file.path}: ${name}: stored as ${typeName(tensor.type)}, which nothing here computes with; those that run are ${WEIGHT_DTYPES.join(', ')}`,
      );
    }
    found.set(name, { ...tensor, dtype });
  }
  return found;
}

async function readFactors({ file, name, dtype, offset, bytes }: StoredTensor): Promise<Float32Array> {
  return decodeWeight(dtype, await file.read(offset, bytes, name), `${file.path}: ${name}`);
}

class GgufSource implements WeightSource {
  readonly files: readonly string[];

  constructor(
    readonly label: string,
    private readonly open: readonly ByteFile[],
    private readonly tensors: ReadonlyMap<string, StoredTensor>,
    private readonly config: ModelConfig,
  ) {
    this.files = open.map(({ path }) => path).sort();
  }

  names(): readonly string[] {
    return [...this.tensors.keys()];
  }

  info(id: string): WeightInfo | undefined {
    const tensor = this.tensors.get(id);
    return tensor && { shape: tensor.shape, dtype: tensor.dtype, bytes: tensor.bytes };
  }

  async read(id: string): Promise<Float32Array> {
    return decodeWeight(this.at(id).dtype, await this.readRaw(id), `${this.label}: ${id}`);
  }

  async readRaw(id: string): Promise<Uint8Array> {
    const tensor = this.at(id);
    const bytes = await tensor.file.read(tensor.offset, tensor.bytes, id);
    if (!this.isReordered(id)) return bytes;
    const rows = tensor.shape[0];
    this.requireHeads(id, rows);
    return reorderRows(bytes, this.order(rows));
  }

  async readRows(id: string, first: number, count: number): Promise<Uint8Array> {
    const tensor = this.at(id);
    const { headDim } = this.config;
    if (!this.isReordered(id)) {
      const rowBytes = tensor.bytes / rowCount(tensor.shape);
      return tensor.file.read(tensor.offset + first * rowBytes, count * rowBytes, id);
    }
    const rows = tensor.shape[0];
    this.requireHeads(id, rows);
    // Whole heads, as their rows change places; of a bias every element is a row.
    const rowBytes = tensor.bytes / rows;
    const start = first - (first % headDim);
    const end = Math.min(rows, Math.ceil((first + count) / headDim) * headDim);
    const bytes = await tensor.file.read(tensor.offset + start * rowBytes, (end - start) * rowBytes, id);
    const ordered = reorderRows(bytes, this.order(end - start));
    return ordered.subarray((first - start) * rowBytes, (first - start + count) * rowBytes);
  }

  place(id: string): WeightPlace | undefined {
    const tensor = this.tensors.get(id);
    if (tensor === undefined || this.isReordered(id)) return undefined;
    return { path: tensor.file.path, offset: tensor.offset, bytes: tensor.bytes };
  }

  async close(): Promise<void> {
    await Promise.all(this.open.map((file) => file.close()));
  }

  private order(rows: number): Uint32Array {
    return halfSplitOrder(rows, this.config.headDim, this.config.ropeDims);
  }

  private isReordered(id: string): boolean {
    return isRotaryReordered(this.config.arch, id);
  }

  private requireHeads(id: string, rows: number): void {
    const { headDim } = this.config;
    if (rows % headDim !== 0)
      throw new DataError(`${this.label}: ${id}: ${rows} rows do not divide into heads of ${headDim}`);
  }

  private at(id: string): StoredTensor {
    const tensor = this.tensors.get(id);
    if (tensor === undefined) throw new DataError(`${this.label}: weight ${id} is missing`);
    return tensor;
  }
}
