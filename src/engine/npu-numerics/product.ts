/** A row-major matrix inside an array: element (row, column) is at offset + row * stride + column. */
export interface MatrixView {
  readonly values: Float32Array;
  readonly offset: number;
  readonly stride: number;
}

/** A whole array as a matrix of `columns` columns. */
export function matrix(values: Float32Array, columns: number): MatrixView {
  return { values, offset: 0, stride: columns };
}

const { fround } = Math;

/**
 * out[rows, columns] += a[rows, depth] b[columns, depth]^T as the matrix unit's accumulator does it here: in F32, one
 * depth element after the other, so depth tiles follow each other in order and zero padding changes nothing. Products
 * are not rounded (those of F16 operands would be exact in F32 anyway); each addition is.
 *
 * Four columns are computed together so that the additions of one do not wait for each other; the order of additions
 * within an element stays.
 */
export function accumulate(
  a: MatrixView,
  b: MatrixView,
  out: MatrixView,
  rows: number,
  columns: number,
  depth: number,
): void {
  const x = a.values;
  const w = b.values;
  const y = out.values;
  const evenRows = rows - (rows % 2);
  const blocked = columns - (columns % 4);
  for (let column = 0; column < blocked; column += 4) {
    const b0 = b.offset + column * b.stride;
    const b1 = b0 + b.stride;
    const b2 = b1 + b.stride;
    const b3 = b2 + b.stride;
    for (let row = 0; row < evenRows; row += 2) {
      const a0 = a.offset + row * a.stride;
      const a1 = a0 + a.stride;
      const o0 = out.offset + row * out.stride + column;
      const o1 = o0 + out.stride;
      let s00 = y[o0];
      let s01 = y[o0 + 1];
      let s02 = y[o0 + 2];
      let s03 = y[o0 + 3];
      let s10 = y[o1];
      let s11 = y[o1 + 1];
      let s12 = y[o1 + 2];
      let s13 = y[o1 + 3];
      for (let k = 0; k < depth; k++) {
        const x0 = x[a0 + k];
        const x1 = x[a1 + k];
        const w0 = w[b0 + k];
        const w1 = w[b1 + k];
        const w2 = w[b2 + k];
        const w3 = w[b3 + k];
        s00 = fround(s00 + x0 * w0);
        s01 = fround(s01 + x0 * w1);
        s02 = fround(s02 + x0 * w2);
        s03 = fround(s03 + x0 * w3);
        s10 = fround(s10 + x1 * w0);
        s11 = fround(s11 + x1 * w1);
        s12 = fround(s12 + x1 * w2);
        s13 = fround(s13 + x1 * w3);
      }
      y[o0] = s00;
      y[o0 + 1] = s01;
      y[o0 + 2] = s02;
      y[o0 + 3] = s03;
      y[o1] = s10;
      y[o1 + 1] = s11;
      y[o1 + 2] = s12;
      y[o1 + 3] = s13;
    }
  }
  rest(a, b, out, { rows: [0, evenRows], columns: [blocked, columns] }, depth);
  rest(a, b, out, { rows: [evenRows, rows], columns: [0, columns] }, depth);
}

/** The elements that fill no block, one by one. */
function rest(
  a: MatrixView,
  b: MatrixView,
  out: MatrixView,
  range: { readonly rows: readonly [number, number]; readonly columns: readonly [number, number] },
  depth: number,
): void {
  for (let row = range.rows[0]; row < range.rows[1]; row++) {
    const from = a.offset + row * a.stride;
    for (let column = range.columns[0]; column < range.columns[1]; column++) {
      const start = b.offset + column * b.stride;
      const at = out.offset + row * out.stride + column;
      let sum = out.values[at];
      for (let k = 0; k < depth; k++) sum = fround(sum + a.values[from + k] * b.values[start + k]);
      out.values[at] = sum;
    }
  }
}

/** y = x W^T from zero accumulators. */
export function product(
  x: Float32Array,
  w: Float32Array,
  rows: number,
  outWidth: number,
  inWidth: number,
): Float32Array {
  const y = new Float32Array(rows * outWidth);
  accumulate(matrix(x, inWidth), matrix(w, inWidth), matrix(y, outWidth), rows, outWidth, inWidth);
  return y;
}
