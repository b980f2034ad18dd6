import { UsageError } from '../../src/errors.js';
import { INPUT_IDS } from '../../src/model/build-graph.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { Pass } from '../../src/pass/pass.js';
import { passVisibility } from '../../src/pass/visibility.js';
import type { Bucket } from './buckets.js';

/**
 * What a pass feeds a step graph beside K and V: token ids, positions, rows that want logits [rows] and who sees whom
 * [rows, context + rows], padded to the bucket.
 *
 * @throws UsageError for a position or a token id that the model does not have
 */
export function stepInputs(
  { contextLength, vocab }: ModelConfig,
  pass: Pass,
  { rows, context }: Bucket,
): Map<string, Float32Array | Int32Array> {
  for (const { position, feed } of pass.rows) {
    if (position >= contextLength) throw new UsageError(`position ${position} is outside the context`);
    if (!(feed >= 0 && feed < vocab)) throw new UsageError(`token id ${feed} is outside the vocabulary`);
  }
  const padded = (values: readonly number[]) => {
    const all = new Int32Array(rows);
    all.set(values);
    return all;
  };
  return new Map<string, Float32Array | Int32Array>([
    [INPUT_IDS.ids, padded(pass.rows.map((row) => row.feed))],
    [INPUT_IDS.positions, padded(pass.rows.map((row) => row.position))],
    [INPUT_IDS.logitsRows, padded(pass.logits)],
    [INPUT_IDS.visibility, paddedVisibility(pass, rows, context)],
  ]);
}

/** Visibility over the bucket's keys. Rows and keys beyond the pass see and are seen by padding only. */
function paddedVisibility(pass: Pass, rows: number, context: number): Float32Array {
  const seen = passVisibility(pass);
  const [real, reads] = [pass.rows.length, pass.reads.length];
  const matrix = new Float32Array(rows * (context + rows));
  for (let row = 0; row < rows; row++) {
    const base = row * (context + rows);
    // A row that sees nothing has no softmax.
    if (row >= real) matrix.fill(1, base + context, base + context + rows);
    else if (seen === undefined) {
      matrix.fill(1, base, base + reads).fill(1, base + context, base + context + real);
    } else {
      const from = row * (reads + real);
      matrix.set(seen.subarray(from, from + reads), base);
      matrix.set(seen.subarray(from + reads, from + reads + real), base + context);
    }
  }
  return matrix;
}
