import * as tf from '@tensorflow/tfjs-core';
import './register-gradients.js';
import { executeGraph, type MatMul } from '../engine/tfjs/execute.js';
import type { ModelConfig } from '../model/config.js';
import { graphFor } from '../model/graph-cache.js';
import { precisionFor } from '../model/precision.js';
import type { Batch } from './objective.js';
import type { TrainableWeights } from './trainable-weights.js';

const F32 = precisionFor('f32');

/**
 * A product whose gradient transposes its operands first: the wasm backend multiplies by a transposed matrix
 * about ten times slower than it transposes and multiplies.
 */
export const differentiableMatMul: MatMul = tf.customGrad((...inputs: (tf.Tensor | tf.GradSaveFunc)[]) => {
  const [a, b, save] = inputs as [tf.Tensor2D, tf.Tensor2D, tf.GradSaveFunc];
  save([a, b]);
  return {
    value: tf.matMul(a, b),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [left, right] = saved as [tf.Tensor2D, tf.Tensor2D];
      return [
        tf.matMul(dy as tf.Tensor2D, tf.transpose(right)),
        tf.matMul(tf.transpose(left), dy as tf.Tensor2D),
      ];
    },
  };
}) as MatMul;

/** Weighted cross-entropy of a batch: the same operator graph the engine runs, differentiable. */
export function batchLoss(config: ModelConfig, weights: TrainableWeights, batch: Batch): tf.Scalar {
  const { sequences, rows, visibility } = batch;
  // Logits of every row: taking the target rows of each sequence would be a gather, whose gradient wasm lacks.
  const graph = graphFor(
    config,
    { rows, kvSets: [], logitsRows: rows, masked: visibility !== undefined },
    F32,
  );
  const count = sequences * rows;
  const bindings = {
    weights,
    batch: sequences,
    ids: batch.ids,
    positions: Int32Array.from({ length: count }, (_, i) => batch.positions[i % rows]),
    logitsRows: Int32Array.from({ length: count }, (_, i) => i),
    visibility,
  };
  const targets = new Int32Array(count);
  const targetWeights = new Float32Array(count);
  for (let s = 0; s < sequences; s++) {
    const length = rows - batch.first;
    targets.set(batch.targets.subarray(s * length, (s + 1) * length), s * rows + batch.first);
    targetWeights.set(batch.weights.subarray(s * length, (s + 1) * length), s * rows + batch.first);
  }
  return tf.tidy(() => {
    const { logits } = executeGraph(graph, bindings, { embedding: 'one-hot', matMul: differentiableMatMul });
    if (logits === null) throw new Error('a training graph needs a head');
    const chosen = tf.oneHot(tf.tensor1d(targets, 'int32'), config.vocab);
    const logLikelihood = tf.sum(tf.mul(tf.logSoftmax(logits), chosen), -1);
    return tf.neg(tf.sum(tf.mul(logLikelihood, tf.tensor1d(targetWeights)))) as tf.Scalar;
  });
}

/** Loss and its gradient for every weight, by weight id. The caller disposes of the gradients. */
export function lossAndGradients(
  config: ModelConfig,
  weights: TrainableWeights,
  batch: Batch,
): { loss: number; gradients: Map<string, tf.Tensor> } {
  const entries = [...weights.entries()];
  const { value, grads } = tf.variableGrads(
    () => batchLoss(config, weights, batch),
    entries.map(([, variable]) => variable),
  );
  const loss = value.dataSync()[0];
  value.dispose();
  const gradients = new Map(
    entries.map(([id, variable]) => {
      const gradient = grads[variable.name];
      if (gradient === undefined) throw new Error(`no gradient for ${id}`);
      return [id, gradient];
    }),
  );
  return { loss, gradients };
}
