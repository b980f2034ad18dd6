import { UsageError } from '../../errors.js';
import type { WriteProgress } from '../../util/write-file.js';
import type { ModelConfig } from '../config.js';
import { familyOf } from '../families/index.js';
import { SMALL_WEIGHT_DTYPE } from '../precision.js';
import { embeddingId, isTable, layerWeightId, weightShapes } from '../weight-ids.js';
import { checkWeights, rowRanges, rowsOf, type WeightSource } from '../weights.js';
import type { WeightDType } from './blocks/index.js';
import { decodeWeight, encodeWeight } from './codec.js';
import { configToGguf, isRotaryReordered } from './gguf-config.js';
import type { GgufValue } from './gguf-types.js';
import { type GgufTensorToWrite, writeGguf } from './gguf-write.js';
import { ROPE_FACTORS, refuseFactors, ropeFactorsOf } from './rope-factors.js';
import { interleavedOrder, reorderRows } from './rope-permutation.js';

/**
 * Writes a model's weights as GGUF.
 * @param text entries about text (`textToGguf`), which have the last word
 * @param quant format of the matrices; null keeps every weight in the format it has
 * @throws DataError when a weight is missing or cannot be stored
 */
export async function writeModelGguf(
  config: ModelConfig,
  source: WeightSource,
  out: string,
  quant: WeightDType | null,
  text: ReadonlyMap<string, GgufValue>,
  progress: WriteProgress = {},
): Promise<void> {
  checkWeights(config, source);
  const metadata = new Map([...configToGguf(config, quant ?? typicalDType(config, source)), ...text]);
  const tensors = new Map<string, GgufTensorToWrite>();
  for (const [id, shape] of weightShapes(config)) {
    const dtype = quant === null ? presentDType(source, id) : storedDType(id, shape, quant);
    tensors.set(id, { shape, dtype, bytes: () => storedBytes(config, source, id, dtype) });
  }
  if (familyOf(config.arch).gguf?.fusedQkv) fuseQkv(tensors, config.layers);
  const factors = ropeFactorsOf(config);
  if (factors !== null) {
    refuseFactors(config, (why) => new UsageError(`${out}: ${why}`));
    const bytes = async () => encodeWeight('f32', factors, `${out}: ${ROPE_FACTORS}`);
    tensors.set(ROPE_FACTORS, { shape: [factors.length], dtype: 'f32', bytes });
  }
  await writeGguf(out, metadata, tensors, progress);
}

/** Q, K and V of every layer as one tensor, rows one after the other. */
function fuseQkv(tensors: Map<string, GgufTensorToWrite>, layers: number): void {
  for (let layer = 0; layer < layers; layer++) {
    const ids = (['attn_q', 'attn_k', 'attn_v'] as const).map((weight) => layerWeightId(layer, weight));
    const parts = ids.flatMap((id) => tensors.get(id) ?? []);
    const [{ shape, dtype }] = parts;
    if (parts.some((part) => part.dtype !== dtype)) continue;
    const rows = parts.reduce((sum, part) => sum + part.shape[0], 0);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      for (const part of parts) {
        const own = part.bytes();
        if (own instanceof Promise) yield await own;
        else yield* own;
      }
    }
    for (const id of ids) tensors.delete(id);
    tensors.set(`blk.${layer}.attn_qkv.weight`, { shape: [rows, ...shape.slice(1)], dtype, bytes });
  }
}

/** Format a weight gets in a file of that quantization: matrices as named, gains, biases and routers f32. */
export function storedDType(id: string, shape: readonly number[], quant: WeightDType): WeightDType {
  const small = shape.length === 1 || id.includes('ffn_gate_inp') || (isTable(id) && id !== embeddingId());
  return small ? SMALL_WEIGHT_DTYPE : quant;
}

function presentDType(source: WeightSource, id: string): WeightDType {
  const dtype = source.info(id)?.dtype;
  if (dtype === undefined || dtype === 'i32') throw new Error(`${source.label}: ${id} has no weight format`);
  return dtype;
}

/** Format of most of a model's bytes, for the file's own description of itself. */
function typicalDType(config: ModelConfig, source: WeightSource): WeightDType {
  const bytes = new Map<WeightDType, number>();
  for (const id of weightShapes(config).keys()) {
    const dtype = presentDType(source, id);
    bytes.set(dtype, (bytes.get(dtype) ?? 0) + (source.info(id)?.bytes ?? 0));
  }
  const [most] = [...bytes].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? 'f32';
}

/** The stored bytes of a weight, some rows at a time: an embedding in f32 may be larger than the memory. */
async function* storedBytes(
  config: ModelConfig,
  source: WeightSource,
  id: string,
  dtype: WeightDType,
): AsyncGenerator<Uint8Array> {
  const info = source.info(id);
  const rotary = isRotaryReordered(config.arch, id);
  if (info === undefined || info.dtype === 'i32' || info.shape.length === 1) {
    // What already has the format is copied: codes are never quantised twice.
    const whole =
      info?.dtype === dtype
        ? await source.readRaw(id)
        : encodeWeight(dtype, await source.read(id), `${source.label}: ${id}`);
    const rows = info?.shape[0] ?? 0;
    yield rotary ? reorderRows(whole, interleavedOrder(rows, config.headDim, config.ropeDims)) : whole;
    return;
  }
  const label = `${source.label}: ${id}`;
  for (const { first, count } of rowRanges(info.shape, rotary ? config.headDim : 1)) {
    const stored = await rowsOf(source, id, first, count);
    const bytes =
      info.dtype === dtype
        ? stored
        : encodeWeight(
            dtype,
            decodeWeight(info.dtype, stored, label, first * (info.shape.at(-1) ?? 1)),
            label,
          );
    yield rotary ? reorderRows(bytes, interleavedOrder(count, config.headDim, config.ropeDims)) : bytes;
  }
}
