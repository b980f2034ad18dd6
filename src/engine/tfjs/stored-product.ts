import * as tf from '@tensorflow/tfjs-core';
import { rowRanges } from '../../model/weights.js';
import type { StoredMatrix } from '../stored-matrix.js';
import type { MatMul } from './bindings.js';

/** Values multiplied at a time: WebAssembly's memory never shrinks, and large pieces of several sizes leave holes in it. */
const MULTIPLIED = 1 << 19;

/** Values decoded at a time: small beside what the sweeper of the heap lets pile up. */
const DECODED = 1 << 16;

/** Where rows are transposed: one place for all, as every product is done before the next begins. */
let scratch = new Float32Array(0);

/** x times the transpose of `count` rows of a stored matrix: some rows decoded, multiplied and forgotten at a time. */
export function storedProduct(
  x: tf.Tensor2D,
  matrix: StoredMatrix,
  matMul: MatMul,
  first = 0,
  count = matrix.rows,
): tf.Tensor2D {
  const [height] = x.shape;
  const out = new Float32Array(height * count);
  // What stays of one piece would lie between the holes that the next could fill: results are taken out at once.
  for (const range of rowRanges([count, matrix.width], 1, MULTIPLIED)) {
    const part = tf.tidy(() => matMul(x, transposedRows(matrix, first + range.first, range.count)));
    const values = part.dataSync<'float32'>();
    for (let row = 0; row < height; row++)
      out.set(values.subarray(row * range.count, (row + 1) * range.count), row * count + range.first);
    part.dispose();
  }
  return tf.tensor2d(out, [height, count]);
}

/** Rows of a stored matrix as [in, out]. */
function transposedRows(matrix: StoredMatrix, first: number, count: number): tf.Tensor2D {
  const { width } = matrix;
  if (scratch.length < count * width) scratch = new Float32Array(count * width);
  const out = scratch.subarray(0, count * width);
  const step = Math.max(1, Math.floor(DECODED / width));
  for (let from = 0; from < count; from += step) {
    const rows = Math.min(step, count - from);
    const values = matrix.values(first + from, rows);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < width; column++)
        out[column * count + from + row] = values[row * width + column];
  }
  return tf.tensor2d(out, [width, count]);
}

/** Rows of a stored table, looked up. */
export function storedRows(table: StoredMatrix, ids: ArrayLike<number>): tf.Tensor2D {
  const values = new Float32Array(ids.length * table.width);
  for (let i = 0; i < ids.length; i++) values.set(table.values(ids[i], 1), i * table.width);
  return tf.tensor2d(values, [ids.length, table.width]);
}
