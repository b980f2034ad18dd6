import * as tf from '@tensorflow/tfjs-core';
import type { ModelConfig } from '../../model/config.js';
import { elementsOf } from '../../model/dtype.js';
import { headId, isTable, weightShapes } from '../../model/weight-ids.js';
import { checkWeights, type WeightSource } from '../../model/weights.js';
import { type StoredMatrices, type StoredMatrix, withStoredMatrices } from '../stored-matrix.js';
import { useBackend } from './backend.js';
import type { WeightTensors } from './bindings.js';
import { requireRoom, tfjsMemory } from './memory.js';

export interface LoadedWeights extends WeightTensors {
  dispose(): void;
}

/**
 * The model's head alone: logits of final hidden states, in the reference's arithmetic.
 * @param hidden row-major [rows, hidden]; returns [rows, vocab]
 */
export interface Head {
  (hidden: Float32Array): Float32Array;
  dispose(): void;
}

/** @throws DataError when the weight is missing */
export async function loadHead(config: ModelConfig, source: WeightSource): Promise<Head> {
  await useBackend('wasm');
  const matrix = transposedTensor(await source.read(headId(config)), [config.vocab, config.hidden]);
  const head = (hidden: Float32Array): Float32Array =>
    tf.tidy(() => {
      const x = tf.tensor2d(hidden, [hidden.length / config.hidden, config.hidden]);
      return tf.matMul(x, matrix as tf.Tensor2D).dataSync<'float32'>();
    });
  return Object.assign(head, { dispose: () => matrix.dispose() });
}

/**
 * Uploads weights in f32, matrices transposed once; a tied embedding is uploaded both ways. Matrices of K-quants and
 * their like stay as they are stored.
 * @throws DataError when a weight is missing or has the wrong shape; EnvironmentError for more than the backend can address
 */
export async function loadWeightTensors(config: ModelConfig, source: WeightSource): Promise<LoadedWeights> {
  checkWeights(config, source);
  requireRoom(tfjsMemory(config, source), tf.getBackend(), source.label);
  return withStoredMatrices(source, (matrices) => uploaded(config, source, matrices));
}

async function uploaded(
  config: ModelConfig,
  source: WeightSource,
  matrices: StoredMatrices,
): Promise<LoadedWeights> {
  const plain = new Map<string, tf.Tensor>();
  const transposed = new Map<string, tf.Tensor>();
  const stored = new Map<string, StoredMatrix>();
  for (const [id, shape] of weightShapes(config)) {
    const kept = await matrices.open(id);
    if (kept !== null) {
      stored.set(id, kept);
      continue;
    }
    const values = await source.read(id);
    if (shape.length === 1 || isTable(id)) plain.set(id, tf.tensor(values, [...shape], 'float32'));
    if (shape.length > 1 && (!isTable(id) || headId(config) === id))
      transposed.set(id, transposedTensor(values, shape));
  }
  return {
    plain: (id) => found(plain, id),
    transposed: (id) => found(transposed, id),
    stored: (id) => stored.get(id),
    dispose: () => {
      tf.dispose([...plain.values(), ...transposed.values()]);
      stored.clear();
      matrices.close();
    },
  };
}

function found(tensors: ReadonlyMap<string, tf.Tensor>, id: string): tf.Tensor {
  const tensor = tensors.get(id);
  if (tensor === undefined) throw new Error(`no weight tensor ${id}`);
  return tensor;
}

/** [..., out, in] to [..., in, out]. */
export function transposedTensor(values: Float32Array, shape: readonly number[]): tf.Tensor {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  const out = new Float32Array(values.length);
  for (let matrix = 0; matrix < elementsOf(shape); matrix += rows * columns) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        out[matrix + column * rows + row] = values[matrix + row * columns + column];
      }
    }
  }
  return tf.tensor(out, [...shape.slice(0, -2), columns, rows], 'float32');
}
