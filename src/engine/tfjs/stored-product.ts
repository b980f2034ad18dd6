import * as tf from '@tensorflow/tfjs-core';
import type { StoredMatrix } from '../stored-matrix.js';
import type { MatMul } from './bindings.js';
import { transposedTensor } from './weight-tensors.js';

/** Values that are decoded at a time: what is decoded, turned round and not yet collected counts several times. */
const RUN_ELEMENTS = 1 << 20;

/** x times the transpose of `count` rows of a stored matrix: some rows decoded, multiplied and forgotten at a time. */
export function storedProduct(
  x: tf.Tensor2D,
  matrix: StoredMatrix,
  matMul: MatMul,
  first = 0,
  count = matrix.rows,
): tf.Tensor2D {
  const most = Math.max(1, Math.floor(RUN_ELEMENTS / matrix.width));
  const parts: tf.Tensor2D[] = [];
  for (let done = 0; done < count; done += most) {
    const rows = Math.min(most, count - done);
    parts.push(
      tf.tidy(() => {
        const values = matrix.values(first + done, rows);
        return matMul(x, transposedTensor(values, [rows, matrix.width]) as tf.Tensor2D);
      }),
    );
  }
  return parts.length === 1 ? parts[0] : tf.concat(parts, 1);
}

/** Rows of a stored table, looked up. */
export function storedRows(table: StoredMatrix, ids: ArrayLike<number>): tf.Tensor2D {
  const values = new Float32Array(ids.length * table.width);
  for (let i = 0; i < ids.length; i++) values.set(table.values(ids[i], 1), i * table.width);
  return tf.tensor2d(values, [ids.length, table.width]);
}
