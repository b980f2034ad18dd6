import { UsageError } from '../errors.js';
import type {
  AddOp,
  EmbedOp,
  GatherRowsOp,
  GeluOp,
  LayerNormOp,
  MatMulOp,
  Op,
  OpKind,
  RmsNormOp,
  RopeOp,
  SwigluOp,
} from '../model/graph.js';
import { rotationKey, rotationOf } from '../model/rope.js';
import { lowerAttention } from './lower-attention.js';
import { lowerMoe } from './lower-moe.js';
import { inputOf, type Lowering, product, weightOf } from './lowering.js';
import { normInput, normOutput } from './norm-parts.js';
import { MICROSOFT } from './onnx-builder.js';
import { BLOCK } from './pack-blocks.js';
import { unpackPlanes } from './planes.js';

/** Input of a model with an adapter for drafts, [1]: 1 in passes that draft, 0 in all others. */
export const ADAPTER_INPUT = 'adapter';

export type Lower<K extends Op> = (op: K, to: Lowering) => void;

const embed: Lower<EmbedOp> = (op, { onnx, weights }) => {
  const table = weights.matrix(weightOf(op, 0), { rows: true });
  const ids = op.inputs.length === 0 ? onnx.ints([0]) : inputOf(op, 0);
  if (table.kind === 'blocks') {
    const attributes = { gather_axis: 0, quantize_axis: 1, block_size: BLOCK, bits: table.bits };
    const inputs = [table.codes, ids, table.scales];
    onnx.node('GatherBlockQuantized', op.id, inputs, attributes, MICROSOFT);
  } else if (table.kind === 'planes') {
    for (const run of table.runs) unpackPlanes(onnx, op.id, run, ids, ids);
  } else if (table.kind === 'blobs') {
    throw new Error(`${op.id}: rows of a blob cannot be looked up`);
  } else if (table.type === 'f32') {
    onnx.node('Gather', op.id, [table.name, ids], { axis: 0 });
  } else {
    const rows = onnx.node('Gather', `${op.id}.stored`, [table.name, ids], { axis: 0 });
    onnx.node('Cast', op.id, [rows], { to: 1 });
  }
};

/** x / sqrt(mean(x^2) + eps) * gain, in the form that runtimes recognise and fuse. */
const rmsnorm: Lower<RmsNormOp> = (op, to) => {
  const { onnx } = to;
  const x = normInput(op, to);
  const square = onnx.node('Pow', `${op.id}.square`, [x, onnx.float(2)]);
  const mean = onnx.node('ReduceMean', `${op.id}.mean`, [square, onnx.ints([-1])], { keepdims: 1 });
  const shifted = onnx.node('Add', `${op.id}.eps`, [mean, onnx.float(op.eps)]);
  const root = onnx.node('Sqrt', `${op.id}.root`, [shifted]);
  normOutput(op, onnx.node('Div', `${op.id}.scaled`, [x, root]), to);
};

const layernorm: Lower<LayerNormOp> = (op, { onnx, weights }) => {
  const inputs = [inputOf(op, 0), weights.vector(weightOf(op, 0)), weights.vector(weightOf(op, 1))];
  onnx.node('LayerNormalization', op.id, inputs, { axis: -1, epsilon: { f: op.eps } });
};

const matmul: Lower<MatMulOp> = (op, to) => {
  const weight = to.weights.matrix(weightOf(op, 0));
  const name = op.bias ? `${op.id}.product` : op.id;
  product(to, name, inputOf(op, 0), weight, op.inWidth, op.outWidth);
  if (op.bias) to.onnx.node('Add', op.id, [name, to.weights.vector(weightOf(op, 1))]);
};

/** Half-split rotation: channel i of a head turns with channel i + dims / 2, those from `dims` on pass. */
const rope: Lower<RopeOp> = (op, to) => {
  const { onnx } = to;
  const half = op.dims / 2;
  const [cos, sin] = rotaryRows(op, to);
  const byHead = onnx.node('Reshape', `${op.id}.heads`, [
    inputOf(op, 0),
    onnx.ints([-1, op.heads, op.headDim]),
  ]);
  const [first, second] = [`${op.id}.first`, `${op.id}.second`];
  const passing = op.dims === op.headDim ? [] : [`${op.id}.passing`];
  const sizes = onnx.ints([half, half, ...passing.map(() => op.headDim - op.dims)]);
  onnx.nodeWith([first, second, ...passing], 'Split', [byHead, sizes], { axis: 2 });
  const times = (name: string, x: string, angle: string) => onnx.node('Mul', `${op.id}.${name}`, [x, angle]);
  const real = [times('fc', first, cos), times('ss', second, sin)];
  const imaginary = [times('sc', second, cos), times('fs', first, sin)];
  const turned = [
    onnx.node('Sub', `${op.id}.turned_first`, real),
    onnx.node('Add', `${op.id}.turned_second`, imaginary),
  ];
  const joined = onnx.node('Concat', `${op.id}.joined`, [...turned, ...passing], { axis: 2 });
  onnx.node('Reshape', op.id, [joined, onnx.ints([-1, op.heads * op.headDim])]);
};

/** Cosines and sines of the rows' positions, [rows, 1, dims / 2], shared by all layers. */
function rotaryRows(op: RopeOp, { onnx, positions }: Lowering): [string, string] {
  const { frequencies, magnitude } = rotationOf(op);
  const half = frequencies.length;
  const rows = (part: 'cos' | 'sin', of: (angle: number) => number): string => {
    const name = `rope.${rotationKey(op.headDim, op)}.${part}`;
    const table = `${name}.table`;
    if (onnx.hasNode(name)) return name;
    // Angles in f64, rounded once, as in the reference engine.
    const values = new Float32Array(positions * half);
    for (let position = 0; position < positions; position++) {
      for (let i = 0; i < half; i++) values[position * half + i] = magnitude * of(position * frequencies[i]);
    }
    const bytes = new Uint8Array(values.buffer);
    const [region] = onnx.data.reserve([bytes.length], async () => [bytes]);
    onnx.external(table, 'f32', [positions, 1, half], region!);
    return onnx.node('Gather', name, [table, inputOf(op, 1)], { axis: 0 });
  };
  return [rows('cos', Math.cos), rows('sin', Math.sin)];
}

const swiglu: Lower<SwigluOp> = (op, { onnx }) => {
  const gate = inputOf(op, 0);
  const sigmoid = onnx.node('Sigmoid', `${op.id}.sigmoid`, [gate]);
  const activated = onnx.node('Mul', `${op.id}.silu`, [gate, sigmoid]);
  onnx.node('Mul', op.id, [activated, inputOf(op, 1)]);
};

/** Operator set 18 has no Gelu yet: its definition, in the form that runtimes fuse. */
const gelu: Lower<GeluOp> = (op, { onnx }) => {
  const x = inputOf(op, 0);
  const step = (kind: string, name: string, inputs: readonly string[]) =>
    onnx.node(kind, `${op.id}.${name}`, inputs);
  const inner = (): string => {
    if (op.form === 'gelu') return step('Erf', 'erf', [step('Div', 'scaled', [x, onnx.float(Math.SQRT2)])]);
    const cube = step('Mul', 'cube', [step('Pow', 'power', [x, onnx.float(3)]), onnx.float(0.044715)]);
    const sum = step('Mul', 'scaled', [step('Add', 'sum', [x, cube]), onnx.float(Math.sqrt(2 / Math.PI))]);
    return step('Tanh', 'tanh', [sum]);
  };
  const twice = step('Mul', 'twice', [x, step('Add', 'phi', [inner(), onnx.float(1)])]);
  onnx.node('Mul', op.id, [twice, onnx.float(0.5)]);
};

const add: Lower<AddOp> = (op, { onnx }) => {
  const b = inputOf(op, 1);
  const counted = op.adapts ? onnx.node('Mul', `${op.id}.counted`, [b, ADAPTER_INPUT]) : b;
  onnx.node('Add', op.id, [inputOf(op, 0), counted]);
};

const gatherRows: Lower<GatherRowsOp> = (op, { onnx }) => {
  onnx.node('Gather', op.id, [inputOf(op, 0), inputOf(op, 1)], { axis: 0 });
};

/** One lowering per operator kind. The type makes a kind without one a compile error. */
const LOWERINGS: { readonly [K in OpKind]: Lower<Extract<Op, { kind: K }>> } = {
  embed,
  rmsnorm,
  layernorm,
  matmul,
  rope,
  attention: lowerAttention,
  swiglu,
  gelu,
  add,
  'gather-rows': gatherRows,
  moe: lowerMoe,
  'state-mix': ({ id, mixer }) => {
    throw new UsageError(`${id}: a ${mixer} layer can be timed, not exported`);
  },
};

/** Appends the nodes of one operator. @throws Error for a kind without a lowering: nothing falls through silently. */
export function lowerOp(op: Op, to: Lowering): void {
  const lower = LOWERINGS[op.kind] as Lower<Op> | undefined;
  if (lower === undefined) throw new Error(`no ONNX lowering for operator kind "${op.kind}"`);
  lower(op, to);
}
