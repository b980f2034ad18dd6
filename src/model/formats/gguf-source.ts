import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import type { WeightInfo, WeightSource } from '../weights.js';
import { ByteFile } from './byte-file.js';
import { decodeWeight } from './codec.js';
import { configFromGguf, storesInterleavedRope } from './gguf-config.js';
import { refuseSplit, refuseUnknown, splitFusedQkv } from './gguf-conventions.js';
import { parseGguf } from './gguf-parse.js';
import type { GgufMetadata, GgufTensor } from './gguf-types.js';
import { halfSplitOrder, reorderRows } from './rope-permutation.js';

export interface OpenGguf {
  readonly config: ModelConfig;
  readonly metadata: GgufMetadata;
  readonly weights: WeightSource;
}

/**
 * Opens a GGUF model. Weights are read by range; rows of Q and K come out in half-split rotary order.
 * @throws EnvironmentError when it cannot be opened; DataError naming file, item and reason
 */
export async function openGguf(path: string): Promise<OpenGguf> {
  const file = await ByteFile.open(path);
  try {
    const { metadata, tensors: stored } = await parseGguf(file);
    refuseSplit(metadata, path);
    const config = configFromGguf(metadata, stored, path);
    const tensors = splitFusedQkv(config, stored, path);
    refuseUnknown(config, metadata, tensors, path);
    return { config, metadata, weights: new GgufSource(file, tensors, config) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

class GgufSource implements WeightSource {
  readonly label: string;

  constructor(
    private readonly file: ByteFile,
    private readonly tensors: ReadonlyMap<string, GgufTensor>,
    private readonly config: ModelConfig,
  ) {
    this.label = file.path;
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
    const bytes = await this.file.read(tensor.offset, tensor.bytes, id);
    const rotary = /\.attn_[qk]\.(weight|bias)$/.test(id) && storesInterleavedRope(this.config.arch);
    if (!rotary) return bytes;
    const rows = tensor.shape[0] ?? 0;
    if (rows % this.config.headDim !== 0) {
      throw new DataError(
        `${this.label}: ${id}: ${rows} rows do not divide into heads of ${this.config.headDim}`,
      );
    }
    return reorderRows(bytes, halfSplitOrder(rows, this.config.headDim));
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private at(id: string): GgufTensor {
    const tensor = this.tensors.get(id);
    if (tensor === undefined) throw new DataError(`${this.label}: weight ${id} is missing`);
    return tensor;
  }
}
