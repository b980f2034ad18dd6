import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import { bytesOf } from '../dtype.js';
import { layerWeightId, weightShapes } from '../weight-ids.js';
import { noSuchWeight } from '../weights.js';
import type { GgufTensor } from './gguf-types.js';

/**
 * What other tools' files do differently, and what would change the logits if it were ignored.
 */

/** A fused `attn_qkv` as the three tensors it holds: rows of Q, then K, then V, one after the other in the file. */
export function splitFusedQkv<T extends GgufTensor>(
  config: ModelConfig,
  tensors: ReadonlyMap<string, T>,
  label: string,
): ReadonlyMap<string, T> {
  if (![...tensors.keys()].some((name) => name.includes('.attn_qkv.'))) return tensors;
  const kvRows = config.kvHeads * config.headDim;
  const parts = [
    ['attn_q', config.heads * config.headDim],
    ['attn_k', kvRows],
    ['attn_v', kvRows],
  ] as const;
  const rows = parts.reduce((sum, [, count]) => sum + count, 0);
  const split = new Map<string, T>();
  for (const [name, tensor] of tensors) {
    const match = /^blk\.(\d{1,5})\.attn_qkv\.(weight|bias)$/.exec(name);
    if (match === null) {
      split.set(name, tensor);
      continue;
    }
    if (tensor.shape[0] !== rows)
      throw new DataError(`${label}: ${name}: ${tensor.shape[0]} rows, Q, K and V have ${rows}`);
    let { offset } = tensor;
    for (const [weight, count] of parts) {
      const shape = [count, ...tensor.shape.slice(1)];
      const bytes = bytesOf(shape, tensor.dtype);
      const id = layerWeightId(Number(match[1]), weight, match[2] === 'bias' ? 'bias' : 'weight');
      if (tensors.has(id)) throw new DataError(`${label}: ${id} is also in ${name}`);
      split.set(id, { ...tensor, name: id, shape, bytes, offset });
      offset += bytes;
    }
  }
  return split;
}

/**
 * Refuses what llama.cpp would compute with and this project would not: better no logits than wrong ones.
 * @param tensors after `splitFusedQkv`
 * @throws DataError naming file, tensor and reason
 */
export function refuseUnknownTensors(
  config: ModelConfig,
  tensors: ReadonlyMap<string, GgufTensor>,
  label: string,
): void {
  const known = weightShapes(config);
  for (const name of tensors.keys()) {
    if (!known.has(name)) throw new DataError(`${label}: ${name}: ${noSuchWeight(config)}`);
  }
}
