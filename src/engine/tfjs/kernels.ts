import * as tf from '@tensorflow/tfjs-core';
import { UsageError } from '../../errors.js';
import { INPUT_IDS } from '../../model/build-graph.js';
import type {
  AddOp,
  AttentionOp,
  EmbedOp,
  GatherRowsOp,
  GeluOp,
  LayerNormOp,
  MatMulOp,
  MoeOp,
  Op,
  OpKind,
  RmsNormOp,
  RopeOp,
  StateMixOp,
  SwigluOp,
} from '../../model/graph.js';
import type { RopeShape } from '../../model/rope.js';
import { attend } from './attention.js';
import type { Bindings, MatMul } from './bindings.js';
import { activate } from './gelu.js';
import { expertMatrix, routeExperts } from './moe.js';
import { type RopeTables, rotate } from './rope.js';
import { storedProduct, storedRows } from './stored-product.js';

/** What kernels share within one execution. */
export interface KernelContext {
  readonly bindings: Bindings;
  readonly batch: number;
  readonly embedding: 'gather' | 'one-hot';
  readonly matMul: MatMul;
  /** Value of an activation. */
  value(id: string): tf.Tensor2D;
  rope(headDim: number, shape: RopeShape): RopeTables;
  /** Additive scores [rows, keys] of the visibility matrix. */
  visibility(keys: number): tf.Tensor2D;
}

export type Kernel<K extends Op> = (op: K, context: KernelContext) => tf.Tensor2D;

function weight(op: Op, index: number): string {
  const id = op.weights[index];
  if (id === undefined) throw new Error(`${op.id} has no weight ${index}`);
  return id;
}

function input(op: Op, index: number): string {
  const id = op.inputs[index];
  if (id === undefined) throw new Error(`${op.id} has no input ${index}`);
  return id;
}

function int32(values: ArrayLike<number>): tf.Tensor1D {
  return tf.tensor1d(Int32Array.from(values), 'int32');
}

const embed: Kernel<EmbedOp> = (op, { bindings, embedding, matMul }) => {
  const [source] = op.inputs;
  const given = source === INPUT_IDS.positions ? bindings.positions : bindings.ids;
  const rows = source === undefined ? [0] : given;
  const stored = bindings.weights.stored?.(weight(op, 0));
  if (stored !== undefined) return storedRows(stored, rows);
  const table = bindings.weights.plain(weight(op, 0)) as tf.Tensor2D;
  const ids = int32(rows);
  if (embedding === 'gather') return tf.gather(table, ids);
  return matMul(tf.cast(tf.oneHot(ids, table.shape[0]), 'float32') as tf.Tensor2D, table);
};

const rmsnorm: Kernel<RmsNormOp> = (op, { bindings, value }) => {
  const x = value(input(op, 0));
  const gain = bindings.weights.plain(weight(op, 0)) as tf.Tensor1D;
  const slices = tf.reshape(x, [-1, op.width / op.groups]);
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(slices), -1, true), op.eps));
  return tf.reshape(tf.mul(tf.mul(slices, scale), gain), x.shape);
};

const layernorm: Kernel<LayerNormOp> = (op, { bindings, value }) => {
  const x = value(input(op, 0));
  const gain = bindings.weights.plain(weight(op, 0));
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), op.eps));
  return tf.add(tf.mul(tf.mul(centred, scale), gain), bindings.weights.plain(weight(op, 1)));
};

const matmul: Kernel<MatMulOp> = (op, { bindings, matMul, value }) => {
  const x = value(input(op, 0));
  const stored = bindings.weights.stored?.(weight(op, 0));
  const y =
    stored === undefined
      ? matMul(x, bindings.weights.transposed(weight(op, 0)) as tf.Tensor2D)
      : storedProduct(x, stored, matMul);
  return op.bias ? tf.add(y, bindings.weights.plain(weight(op, 1))) : y;
};

const rope: Kernel<RopeOp> = (op, context) =>
  rotate(context.value(input(op, 0)), op.heads, context.rope(op.headDim, op), context.matMul);

const attention: Kernel<AttentionOp> = (op, { bindings, batch, matMul, value, visibility }) => {
  const [q, k, v] = [value(input(op, 0)), value(input(op, 1)), value(input(op, 2))];
  const cached = (set: number, part: 0 | 1): tf.Tensor2D => {
    const id = input(op, 3 + 2 * set + part);
    const tensor = bindings.kv?.get(id);
    if (tensor === undefined) throw new Error(`${op.id} needs the cached values ${id}`);
    return tensor;
  };
  if (batch > 1 && op.kvSets.length > 0) throw new Error('a batch cannot read cached KV');
  const keys = op.kvSets.length === 0 ? k : tf.concat([...op.kvSets.map((_, set) => cached(set, 0)), k], 0);
  const values = op.kvSets.length === 0 ? v : tf.concat([...op.kvSets.map((_, set) => cached(set, 1)), v], 0);
  return attend(op, batch, q, keys, values, op.masked ? visibility(op.keys) : undefined, matMul);
};

const swiglu: Kernel<SwigluOp> = (op, { value }) => {
  const gate = value(input(op, 0));
  return tf.mul(tf.mul(gate, tf.sigmoid(gate)), value(input(op, 1)));
};

const gelu: Kernel<GeluOp> = (op, { value }) => activate(value(input(op, 0)), op.form);

const add: Kernel<AddOp> = (op, { value, bindings: { adapter } }) => {
  const b = value(input(op, 1));
  const counted = op.adapts && adapter !== undefined ? tf.mul(b, tf.tensor2d(adapter, [op.rows, 1])) : b;
  return tf.add(value(input(op, 0)), counted);
};

const gatherRows: Kernel<GatherRowsOp> = (op, { bindings, value }) => {
  const x = value(input(op, 0));
  const rows = Array.from(bindings.logitsRows);
  const first = rows[0];
  // A run of rows is the usual case, and a slice is a copy where a gather is a slow loop.
  if (rows.every((row, i) => row === first + i)) return tf.slice(x, [first, 0], [rows.length, op.width]);
  return tf.gather(x, int32(rows));
};

const moe: Kernel<MoeOp> = (op, { bindings, matMul, value }) => {
  const part = (index: number, outWidth: number) => {
    const stored = bindings.weights.stored?.(weight(op, index));
    if (stored !== undefined)
      return (x: tf.Tensor2D, expert: number) =>
        storedProduct(x, stored, matMul, expert * outWidth, outWidth);
    const stack = bindings.weights.transposed(weight(op, index)) as tf.Tensor3D;
    return (x: tf.Tensor2D, expert: number) => matMul(x, expertMatrix(stack, expert));
  };
  const experts = { gate: part(0, op.expertFfn), up: part(1, op.expertFfn), down: part(2, op.width) };
  const bias =
    op.grouped === undefined ? undefined : (bindings.weights.plain(weight(op, 3)).dataSync() as Float32Array);
  return routeExperts(op, value(input(op, 0)), value(input(op, 1)), experts, bias);
};

function refuse({ id, mixer }: StateMixOp): never {
  throw new UsageError(`${id}: a ${mixer} layer can be timed, not run`);
}

/** One kernel per operator kind. The type makes a kind without a kernel a compile error. */
const KERNELS: { readonly [K in OpKind]: Kernel<Extract<Op, { kind: K }>> } = {
  embed,
  rmsnorm,
  layernorm,
  matmul,
  rope,
  attention,
  swiglu,
  gelu,
  add,
  'gather-rows': gatherRows,
  moe,
  'state-mix': (op) => refuse(op),
};

/** Runs one operator. @throws Error for a kind without a kernel: nothing falls through silently. */
export function runKernel(op: Op, context: KernelContext): tf.Tensor2D {
  const kernel = KERNELS[op.kind] as Kernel<Op> | undefined;
  if (kernel === undefined) throw new Error(`no tfjs kernel for operator kind "${op.kind}"`);
  return kernel(op, context);
}
