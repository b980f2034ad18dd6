import type * as tf from '@tensorflow/tfjs-core';
import type { StoredMatrix } from '../stored-matrix.js';

/** a [m, k] times b [k, n]. Training replaces it to give the product its own gradient. */
export type MatMul = (a: tf.Tensor2D, b: tf.Tensor2D) => tf.Tensor2D;

/** Weights as the executor wants them; an unknown id must throw. */
export interface WeightTensors {
  /** Gains, biases and the embedding table, in the shape of the graph. */
  plain(id: string): tf.Tensor;
  /** A matrix transposed to [in, out] ([experts, in, out] for experts): wasm multiplies by W^T ten times slower. */
  transposed(id: string): tf.Tensor;
  /** A matrix that is kept as the file stores it; it has no tensor. */
  stored?(id: string): StoredMatrix | undefined;
}

/**
 * Values of a graph's inputs. With `batch` > 1 every row input holds `batch` sequences one after the other, each
 * of the graph's row count; KV sets are then not allowed.
 */
export interface Bindings {
  readonly weights: WeightTensors;
  readonly batch?: number;
  /** Token ids, [batch * rows]. */
  readonly ids: ArrayLike<number>;
  /** Absolute positions, [batch * rows]. */
  readonly positions: ArrayLike<number>;
  /** Rows that get logits, as indices into [batch * rows]. */
  readonly logitsRows: ArrayLike<number>;
  /** [rows, keys] of ones and zeros, for a masked graph; the same for every sequence of a batch. */
  readonly visibility?: Float32Array;
  /** By row, 1 where a graph with the adapter for drafts applies it; default everywhere. */
  readonly adapter?: Float32Array;
  /** Cached K and V by input id (`kvInputId`). */
  readonly kv?: ReadonlyMap<string, tf.Tensor2D>;
}

export interface ExecuteOptions {
  /** Frees an activation after its last reader. Off while gradients are recorded. */
  readonly release?: boolean;
  /** `one-hot` multiplies by the embedding, which has a gradient in wasm; `gather` looks up (default). */
  readonly embedding?: 'gather' | 'one-hot';
  readonly matMul?: MatMul;
  /** Called with every linear layer's input and output by tensor id, e.g. to collect ranges. Only without gradients. */
  readonly onLinear?: (id: string, values: tf.Tensor2D) => void;
}

export interface GraphResult {
  /** [logits rows, vocab]; null when the graph has no head. */
  readonly logits: tf.Tensor2D | null;
  /** Per layer, fresh K (after RoPE) and V of the rows, [batch * rows, kvHeads * headDim]. */
  readonly freshKv: readonly { readonly k: tf.Tensor2D; readonly v: tf.Tensor2D }[];
}
