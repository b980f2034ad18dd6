import { UsageError } from '../../errors.js';
import { INPUT_IDS } from '../../model/build-graph.js';
import { roundToF16 } from '../../model/formats/f16-round.js';
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
  SwigluOp,
} from '../../model/graph.js';
import { rotationOf } from '../../model/rope.js';
import { rowRanges } from '../../model/weights.js';
import { erf } from '../../util/erf.js';
import { attend } from './attention.js';
import { routeExperts } from './moe.js';
import type { Operands } from './operands.js';
import { accumulate, matrix } from './product.js';
import { gated } from './swiglu.js';

/** What the operators of one pass share. */
export interface KernelContext {
  readonly weights: Operands;
  readonly ids: readonly number[];
  readonly positions: readonly number[];
  readonly logitsRows: readonly number[];
  readonly visibility?: Float32Array;
  /** Keys per block of the attention. */
  readonly keyBlock: number;
  /** Value of an activation or of cached K or V, row-major. */
  value(id: string): Float32Array;
}

/** Computes in F32 what leaves the unit; the executor then rounds it to the format of the output tensor. */
export type Kernel<K extends Op> = (op: K, context: KernelContext) => Float32Array;

const { fround } = Math;

function at(ids: readonly string[], index: number, op: Op): string {
  const id = ids[index];
  if (id === undefined) throw new Error(`${op.id} has no operand ${index}`);
  return id;
}

const embed: Kernel<EmbedOp> = (op, { weights, ids: tokens, positions }) => {
  const table = at(op.weights, 0, op);
  const [source] = op.inputs;
  const given = source === INPUT_IDS.positions ? positions : tokens;
  const ids = source === undefined ? [0] : given;
  const out = new Float32Array(ids.length * op.width);
  ids.forEach((id, row) => {
    if (!Number.isInteger(id) || id < 0 || id >= op.entries) {
      const what = source === INPUT_IDS.positions ? 'position' : 'token id';
      throw new UsageError(`${what} ${id} is outside the ${op.entries} that ${table} has`);
    }
    out.set(weights.rows(table, id, 1), row * op.width);
  });
  return out;
};

/** F32 on the vector unit: sum of squares, reciprocal root, gain. */
const rmsnorm: Kernel<RmsNormOp> = (op, { weights, value }) => {
  const x = value(at(op.inputs, 0, op));
  const gain = weights.values(at(op.weights, 0, op));
  const width = op.width / op.groups;
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum = fround(sum + fround(x[start + i] * x[start + i]));
    const scale = fround(1 / Math.sqrt(fround(fround(sum / width) + op.eps)));
    for (let i = 0; i < width; i++) out[start + i] = fround(x[start + i] * scale) * gain[i];
  }
  return out;
};

/** F32 on the vector unit: mean, sum of squares about it, reciprocal root, gain, bias. */
const layernorm: Kernel<LayerNormOp> = (op, { weights, value }) => {
  const x = value(at(op.inputs, 0, op));
  const [gain, bias] = [0, 1].map((index) => weights.values(at(op.weights, index, op)));
  const { width } = op;
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let total = 0;
    for (let i = 0; i < width; i++) total = fround(total + x[start + i]);
    const mean = fround(total / width);
    let squares = 0;
    for (let i = 0; i < width; i++) squares = fround(squares + fround((x[start + i] - mean) ** 2));
    const scale = fround(1 / Math.sqrt(fround(fround(squares / width) + op.eps)));
    for (let i = 0; i < width; i++)
      out[start + i] = fround(fround(x[start + i] - mean) * scale) * gain[i] + bias[i];
  }
  return out;
};

/** The head runs on the CPU and keeps its F32 sums; every other product leaves the matrix unit as F16. */
const matmul: Kernel<MatMulOp> = (op, { weights, value }) => {
  const { rows, outWidth, inWidth } = op;
  const id = at(op.weights, 0, op);
  const x = matrix(value(at(op.inputs, 0, op)), inWidth);
  const y = new Float32Array(rows * outWidth);
  for (const { first, count } of rowRanges([outWidth, inWidth])) {
    const out = { values: y, offset: first, stride: outWidth };
    accumulate(x, matrix(weights.rows(id, first, count), inWidth), out, rows, count, inWidth);
  }
  if (!op.bias) return y;
  // llama.cpp adds a bias by an operator of its own: after the write-out.
  const bias = weights.values(at(op.weights, 1, op));
  roundToF16(y);
  for (let i = 0; i < y.length; i++) y[i] = y[i] + bias[i % outWidth];
  return y;
};

/** F32 on the vector unit; angles in f64, rounded once. */
const rope: Kernel<RopeOp> = (op, { positions, value }) => {
  const x = value(at(op.inputs, 0, op));
  const { heads, headDim } = op;
  const { frequencies, magnitude } = rotationOf(op);
  const half = frequencies.length;
  // Channels that do not rotate pass.
  const out = x.slice();
  for (let row = 0; row < positions.length; row++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[row] * frequencies[i];
      const [cos, sin] = [fround(magnitude * Math.cos(angle)), fround(magnitude * Math.sin(angle))];
      for (let head = 0; head < heads; head++) {
        const low = (row * heads + head) * headDim + i;
        const high = low + half;
        out[low] = fround(x[low] * cos) - fround(x[high] * sin);
        out[high] = fround(x[high] * cos) + fround(x[low] * sin);
      }
    }
  }
  return out;
};

const attention: Kernel<AttentionOp> = (op, { value, visibility, keyBlock }) => {
  const joined = (own: number, cached: 0 | 1): Float32Array => {
    const parts = op.kvSets.map((_, set) => value(at(op.inputs, 3 + 2 * set + cached, op)));
    return concatenated([...parts, value(at(op.inputs, own, op))]);
  };
  const inputs = { q: value(at(op.inputs, 0, op)), k: joined(1, 0), v: joined(2, 1) };
  if (!op.masked) return attend(op, inputs, keyBlock);
  if (visibility === undefined) throw new Error(`${op.id} needs a visibility matrix`);
  return attend(op, { ...inputs, visibility }, keyBlock);
};

/** F32 on the vector unit, as llama.cpp's Hexagon backend computes it. */
const swiglu: Kernel<SwigluOp> = (op, { value }) =>
  gated(value(at(op.inputs, 0, op)), value(at(op.inputs, 1, op)));

/** F32 on the vector unit. */
const gelu: Kernel<GeluOp> = (op, { value }) =>
  value(at(op.inputs, 0, op)).map((x) => {
    const inner = Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
    return 0.5 * x * (1 + (op.form === 'gelu_new' ? Math.tanh(inner) : erf(x * Math.SQRT1_2)));
  });

const add: Kernel<AddOp> = (op, { value }) => {
  const b = value(at(op.inputs, 1, op));
  return value(at(op.inputs, 0, op)).map((a, i) => a + b[i % b.length]);
};

const gatherRows: Kernel<GatherRowsOp> = (op, { logitsRows, value }) => {
  const x = value(at(op.inputs, 0, op));
  return concatenated(logitsRows.map((row) => x.subarray(row * op.width, (row + 1) * op.width)));
};

const moe: Kernel<MoeOp> = (op, { weights, value }) => {
  const part = (index: number, outWidth: number) => {
    const id = at(op.weights, index, op);
    return (expert: number) => weights.rows(id, expert * outWidth, outWidth);
  };
  const experts = { gate: part(0, op.expertFfn), up: part(1, op.expertFfn), down: part(2, op.width) };
  const bias = op.grouped === undefined ? undefined : weights.values(at(op.weights, 3, op));
  return routeExperts(op, value(at(op.inputs, 0, op)), value(at(op.inputs, 1, op)), experts, bias);
};

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
  'state-mix': ({ id, mixer }) => {
    throw new UsageError(`${id}: a ${mixer} layer can be timed, not run`);
  },
};

/** Runs one operator. @throws Error for a kind without a kernel: nothing falls through silently. */
export function runKernel(op: Op, context: KernelContext): Float32Array {
  const kernel = KERNELS[op.kind] as Kernel<Op> | undefined;
  if (kernel === undefined) throw new Error(`no npu-numerics kernel for operator kind "${op.kind}"`);
  return kernel(op, context);
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}
