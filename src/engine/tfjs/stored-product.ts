import * as tf from '@tensorflow/tfjs-core';
import { rowRanges } from '../../model/weights.js';
import type { StoredMatrix } from '../stored-matrix.js';
import type { MatMul } from './bindings.js';
import { transposedTensor } from './weight-tensors.js';

/** x times the transpose of `count` rows of a stored matrix: some rows decoded, multiplied and forgotten at a time. */
export function storedProduct(
  x: tf.Tensor2D,
  matrix: StoredMatrix,
  matMul: MatMul,
  first = 0,
  count = matrix.rows,
): tf.Tensor2D {
  const parts = [...rowRanges([count, matrix.width])].map((range) =>
    tf.tidy(() => {
      const values = matrix.values(first + range.first, range.count);
      return matMul(x, transposedTensor(values, [range.count, matrix.width]) as tf.Tensor2D);
    }),
  );
  return parts.length === 1 ? parts[0] : tf.concat(parts, 1);
}

/** Rows of a stored table, looked up. */
export function storedRows(table: StoredMatrix, ids: ArrayLike<number>): tf.Tensor2D {
  const values = new Float32Array(ids.length * table.width);
  for (let i = 0; i < ids.length; i++) values.set(table.values(ids[i], 1), i * table.width);
  return tf.tensor2d(values, [ids.length, table.width]);
}
