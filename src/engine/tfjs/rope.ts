import * as tf from '@tensorflow/tfjs-core';
import { type RopeShape, rotationOf } from '../../model/rope.js';
import type { MatMul } from './bindings.js';

/**
 * Angles of the rotary embedding, computed in f64 and rounded once. (Hugging Face computes them in f32; at
 * position 4096 that is an error of about 2e-4 rad in its fastest channel.)
 */
export class RopeTables {
  /** Signed permutation [headDim, headDim]: x times it is rotate_half(x), exactly; 0 where nothing rotates. */
  readonly rotateHalf: tf.Tensor2D;
  private readonly byHeads = new Map<number, { readonly cos: tf.Tensor2D; readonly sin: tf.Tensor2D }>();

  /** @param positions absolute position of every row. Tensors belong to the enclosing tidy. */
  constructor(
    private readonly positions: ArrayLike<number>,
    readonly headDim: number,
    private readonly shape: RopeShape,
  ) {
    const half = shape.dims / 2;
    const permutation = new Float32Array(headDim * headDim);
    for (let i = 0; i < half; i++) {
      permutation[(i + half) * headDim + i] = -1;
      permutation[i * headDim + i + half] = 1;
    }
    this.rotateHalf = tf.tensor2d(permutation, [headDim, headDim]);
  }

  /** Tables for rows of `heads` heads, [rows * heads, headDim]; the two halves of a head turn by the same angles. */
  forHeads(heads: number): { readonly cos: tf.Tensor2D; readonly sin: tf.Tensor2D } {
    let tables = this.byHeads.get(heads);
    if (tables === undefined) {
      tables = { cos: this.table(heads, Math.cos), sin: this.table(heads, Math.sin) };
      this.byHeads.set(heads, tables);
    }
    return tables;
  }

  private table(heads: number, of: (angle: number) => number): tf.Tensor2D {
    const { headDim, positions } = this;
    const { frequencies, magnitude } = rotationOf(this.shape);
    const half = frequencies.length;
    const out = new Float32Array(positions.length * heads * headDim);
    // A channel that does not turn has the angle 0.
    const head = new Float32Array(headDim).fill(of(0));
    for (let row = 0; row < positions.length; row++) {
      for (let i = 0; i < half; i++) {
        head[i] = magnitude * of(positions[row] * frequencies[i]);
        head[i + half] = head[i];
      }
      for (let h = 0; h < heads; h++) out.set(head, (row * heads + h) * headDim);
    }
    return tf.tensor2d(out, [positions.length * heads, headDim]);
  }
}

/**
 * Half-split rotation of x [rows, heads * headDim], x cos + rotate_half(x) sin: channel i of a head turns with
 * channel i + dims / 2. rotate_half is a product with a permutation because slicing and joining columns costs
 * several times more in wasm.
 */
export function rotate(x: tf.Tensor2D, heads: number, tables: RopeTables, matMul: MatMul): tf.Tensor2D {
  const { cos, sin } = tables.forHeads(heads);
  const byHead: tf.Tensor2D = tf.reshape(x, [x.shape[0] * heads, tables.headDim]);
  const turned = tf.add(tf.mul(byHead, cos), tf.mul(matMul(byHead, tables.rotateHalf), sin));
  return tf.reshape(turned, x.shape);
}
