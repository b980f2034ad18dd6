import * as tf from '@tensorflow/tfjs-core';
import type { MoeOp } from '../../model/graph.js';
import { groupRouting } from '../group-routing.js';

/** Products of rows with the matrices of an expert: gate and up to [rows, expertFfn], down to [rows, width]. */
export type ExpertProducts = Readonly<
  Record<'gate' | 'up' | 'down', (x: tf.Tensor2D, expert: number) => tf.Tensor2D>
>;

/**
 * Each row is the sum of its best `expertsPerToken` experts, weighted by their router probabilities (renormalised to 1 if the
 * model does so), or under group routing (`bias`) by their scores. The reference runs every expert on every row and
 * weights the unselected ones with 0: slow, but plainly the definition.
 */
export function routeExperts(
  op: MoeOp,
  x: tf.Tensor2D,
  routerLogits: tf.Tensor2D,
  experts: ExpertProducts,
  bias?: Float32Array,
): tf.Tensor2D {
  const weights = bias === undefined ? softmaxShares(op, routerLogits) : groupShares(op, routerLogits, bias);
  let sum: tf.Tensor2D | undefined;
  for (let expert = 0; expert < op.experts; expert++) {
    const gate = experts.gate(x, expert);
    const inner = tf.mul(tf.mul(gate, tf.sigmoid(gate)), experts.up(x, expert)) as tf.Tensor2D;
    const share = tf.slice(weights, [0, expert], [x.shape[0], 1]);
    const part = tf.mul(experts.down(inner, expert), share) as tf.Tensor2D;
    sum = sum === undefined ? part : tf.add(sum, part);
  }
  if (sum === undefined) throw new Error(`${op.id} has no experts`);
  return sum;
}

/** Weight of every expert in every row, 0 where it is not chosen. */
function softmaxShares(op: MoeOp, routerLogits: tf.Tensor2D): tf.Tensor2D {
  const probabilities = tf.softmax(routerLogits);
  const { indices } = tf.topk(probabilities, op.expertsPerToken);
  const selected = tf.sum(
    tf.cast(tf.oneHot(tf.cast(indices, 'int32') as tf.Tensor2D, op.experts), 'float32'),
    1,
  );
  const masked = tf.mul(probabilities, selected);
  return (op.renormalise ? tf.div(masked, tf.sum(masked, -1, true)) : masked) as tf.Tensor2D;
}

/** The same by biased scores inside groups. */
function groupShares(op: MoeOp, routerLogits: tf.Tensor2D, bias: Float32Array): tf.Tensor2D {
  const [rows] = routerLogits.shape;
  const logits = routerLogits.dataSync() as Float32Array;
  const shares = new Float32Array(rows * op.experts);
  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * op.experts, (row + 1) * op.experts);
    for (const [expert, share] of groupRouting(op, own, bias)) shares[row * op.experts + expert] = share;
  }
  return tf.tensor2d(shares, [rows, op.experts]);
}

/** Matrix of an expert in a transposed stack. */
export function expertMatrix(stack: tf.Tensor3D, index: number): tf.Tensor2D {
  const [, rows, columns] = stack.shape;
  return tf.reshape(tf.slice(stack, [index, 0, 0], [1, rows, columns]), [rows, columns]);
}
