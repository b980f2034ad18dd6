import { roundToF16 } from '../../model/formats/f16-round.js';
import type { AttentionOp } from '../../model/graph.js';
import { type Exp2OfDifference, exp2OfDifference } from './exp-table.js';
import { accumulate, type MatrixView, matrix } from './product.js';

/** Score of a key that a row must not see, and the maximum before the first key: the lowest half. */
const LOWEST = -65504;

const { fround } = Math;

/** What one KV head needs for one block of keys. */
interface Block {
  readonly first: number;
  readonly keys: number;
}

export interface AttentionInputs {
  /** [rows, heads * headDim] */
  readonly q: Float32Array;
  /** [keys, kvHeads * headDim], cached ones first. */
  readonly k: Float32Array;
  readonly v: Float32Array;
  /** [rows, keys] of ones and zeros. */
  readonly visibility?: Float32Array;
}

/**
 * FlashAttention in the arithmetic of arXiv:2509.23324 (section 5 and its operator library): scores leave the matrix
 * unit as F16 with log2(e) / sqrt(headDim), itself an F16, multiplied in; probabilities are looked up in the exp2
 * table; their sums are taken in F32 and stored as F16; the output is kept in F16 between blocks of keys and divided
 * by an F16 reciprocal at the end.
 * @param keyBlock keys per block
 * @returns [rows, heads * headDim]; infinite where a value left the range of F16
 */
export function attend(op: AttentionOp, inputs: AttentionInputs, keyBlock: number): Float32Array {
  const { rows, heads, kvHeads, headDim, keys } = op;
  const mixed = new Float32Array(rows * heads * headDim);
  const transposed = new Float32Array(headDim * keys);
  const head = new HeadSoftmax(op, inputs.visibility, Math.min(keyBlock, keys));
  for (let index = 0; index < heads; index++) {
    const kvHead = Math.floor(index / (heads / kvHeads));
    const kv = { offset: kvHead * headDim, stride: kvHeads * headDim };
    if (index % (heads / kvHeads) === 0) transpose({ values: inputs.v, ...kv }, keys, headDim, transposed);
    const own = { offset: index * headDim, stride: heads * headDim };
    head.run({ values: inputs.q, ...own }, { values: inputs.k, ...kv }, matrix(transposed, keys), {
      values: mixed,
      ...own,
    });
  }
  roundToF16(mixed);
  return mixed;
}

/** One head at a time; buffers are shared by all. */
class HeadSoftmax {
  private readonly exp2: Exp2OfDifference = exp2OfDifference();
  private readonly scale: number;
  private readonly scores: Float32Array;
  private readonly output: Float32Array;
  /** Per row: maximum and sum so far, both F16. */
  private readonly maximum: Float32Array;
  private readonly sum: Float32Array;

  constructor(
    private readonly op: AttentionOp,
    private readonly visibility: Float32Array | undefined,
    private readonly keyBlock: number,
  ) {
    this.scale = half(Math.LOG2E / Math.sqrt(op.headDim));
    this.scores = new Float32Array(op.rows * keyBlock);
    this.output = new Float32Array(op.rows * op.headDim);
    this.maximum = new Float32Array(op.rows);
    this.sum = new Float32Array(op.rows);
  }

  /** @param vT values transposed, [headDim, keys] */
  run(q: MatrixView, k: MatrixView, vT: MatrixView, mixed: MatrixView): void {
    const { rows, headDim, keys } = this.op;
    this.output.fill(0);
    this.maximum.fill(LOWEST);
    this.sum.fill(0);
    for (let first = 0; first < keys; first += this.keyBlock) {
      const block = { first, keys: Math.min(this.keyBlock, keys - first) };
      this.score(q, k, block);
      for (let row = 0; row < rows; row++) this.softmax(row, block);
      const values = { ...vT, offset: vT.offset + first };
      accumulate(
        matrix(this.scores, block.keys),
        values,
        matrix(this.output, headDim),
        rows,
        headDim,
        block.keys,
      );
      roundToF16(this.output);
    }
    for (let row = 0; row < rows; row++) {
      const reciprocal = half(1 / this.sum[row]);
      for (let d = 0; d < headDim; d++) {
        mixed.values[mixed.offset + row * mixed.stride + d] = this.output[row * headDim + d] * reciprocal;
      }
    }
  }

  /** Scaled scores of a block, [rows, block.keys], as F16. */
  private score(q: MatrixView, k: MatrixView, block: Block): void {
    const { rows, headDim, keys } = this.op;
    const scores = this.scores.subarray(0, rows * block.keys).fill(0);
    const cut = { ...k, offset: k.offset + block.first * k.stride };
    accumulate(q, cut, matrix(scores, block.keys), rows, block.keys, headDim);
    for (let i = 0; i < scores.length; i++) scores[i] = scores[i] * this.scale;
    roundToF16(scores);
    if (this.visibility === undefined) return;
    for (let row = 0; row < rows; row++) {
      for (let key = 0; key < block.keys; key++) {
        if (this.visibility[row * keys + block.first + key] === 0) scores[row * block.keys + key] = LOWEST;
      }
    }
  }

  /** Turns a row of scores into unnormalised probabilities and rescales what the row has so far. */
  private softmax(row: number, block: Block): void {
    const { headDim } = this.op;
    const scores = this.scores.subarray(row * block.keys, (row + 1) * block.keys);
    const before = this.maximum[row];
    let maximum = before;
    for (const score of scores) maximum = Math.max(maximum, score);
    let sum = 0;
    for (let i = 0; i < scores.length; i++) {
      const p = this.exp2(scores[i], maximum);
      scores[i] = p;
      sum = fround(sum + p);
    }
    const shrink = this.exp2(before, maximum);
    this.maximum[row] = maximum;
    this.sum[row] = half(fround(this.sum[row] * shrink) + half(sum));
    // The matrix unit multiplies by diag(shrink): a product of halves, exact in its accumulator.
    for (let d = 0; d < headDim; d++) this.output[row * headDim + d] *= shrink;
  }
}

const one = new Float32Array(1);

/** The nearest half. */
function half(value: number): number {
  one[0] = value;
  roundToF16(one);
  return one[0];
}

/** Columns of a head of V as rows, [headDim, keys]. */
function transpose(v: MatrixView, keys: number, headDim: number, out: Float32Array): void {
  for (let key = 0; key < keys; key++) {
    for (let d = 0; d < headDim; d++) out[d * keys + key] = v.values[v.offset + key * v.stride + d];
  }
}
