import * as tf from '@tensorflow/tfjs-core';
import type { AttentionOp } from '../../model/graph.js';
import type { MatMul } from './bindings.js';

/** Added to the score of a key a row must not see; exp() of it is exactly 0. */
const HIDDEN_SCORE = -1e30;

/** Visibility [rows, keys] of ones and zeros as an additive score. */
export function visibilityBias(visible: Float32Array, rows: number, keys: number): tf.Tensor2D {
  const bias = new Float32Array(visible.length);
  for (let i = 0; i < visible.length; i++) if (visible[i] === 0) bias[i] = HIDDEN_SCORE;
  return tf.tensor2d(bias, [rows, keys]);
}

/**
 * softmax(q k^T / sqrt(headDim)) v over cached and own keys, one plain matrix product per sequence and head:
 * tfjs's wasm backend sends a 2-D product to XNNPACK and a batched one to a naive loop twelve times slower.
 *
 * @param q [batch * rows, heads * headDim]
 * @param k [batch * keys, kvHeads * headDim], cached sets first
 * @param v as k
 */
export function attend(
  op: AttentionOp,
  batch: number,
  q: tf.Tensor2D,
  k: tf.Tensor2D,
  v: tf.Tensor2D,
  bias: tf.Tensor2D | undefined,
  matMul: MatMul,
): tf.Tensor2D {
  const { rows, heads, kvHeads, headDim, keys } = op;
  const scaled: tf.Tensor2D = tf.mul(q, 1 / Math.sqrt(headDim));
  const qHeads = byHead(scaled, batch, rows, heads, headDim, [0, 2, 1, 3]);
  const kHeads = byHead(k, batch, keys, kvHeads, headDim, [0, 2, 3, 1]);
  const vHeads = byHead(v, batch, keys, kvHeads, headDim, [0, 2, 1, 3]);
  const group = heads / kvHeads;
  const outputs: tf.Tensor2D[] = [];
  for (let sequence = 0; sequence < batch; sequence++) {
    for (let head = 0; head < heads; head++) {
      const kvHead = sequence * kvHeads + Math.floor(head / group);
      const qHead = tf.slice(qHeads, [(sequence * heads + head) * rows, 0], [rows, headDim]);
      const kHead = tf.slice(kHeads, [kvHead * headDim, 0], [headDim, keys]);
      const vHead = tf.slice(vHeads, [kvHead * keys, 0], [keys, headDim]);
      const scores = matMul(qHead, kHead);
      const weights: tf.Tensor2D = tf.softmax(bias === undefined ? scores : tf.add(scores, bias));
      outputs.push(matMul(weights, vHead));
    }
  }
  const joined = tf.reshape(tf.concat(outputs, 0), [batch, heads, rows, headDim]);
  return tf.reshape(tf.transpose(joined, [0, 2, 1, 3]), [batch * rows, heads * headDim]);
}

/** [batch * n, heads * dim] with its axes (batch, n, heads, dim) in the order `axes`, all but the last flattened. */
function byHead(
  x: tf.Tensor2D,
  batch: number,
  n: number,
  heads: number,
  dim: number,
  axes: readonly [number, number, number, number],
): tf.Tensor2D {
  const turned = tf.transpose(tf.reshape(x, [batch, n, heads, dim]), [...axes]);
  const last = axes[3] === 3 ? dim : n;
  return tf.reshape(turned, [turned.size / last, last]);
}
