import type { MoeOp } from '../model/graph.js';
import type { GroupRouting } from '../model/model-shape.js';
import { inputOf, type Lowering, product, weightOf } from './lowering.js';

/**
 * Routed experts in plain ONNX operators: an expert multiplies only the rows routed to it. Row r's j-th choice is slot
 * r * k + j. The slots of all experts, joined in the order of the experts, are a permutation; undoing it puts the k
 * results of a row side by side, and their weighted sum is the row's result. Equal probabilities go to the lower expert.
 */
export function lowerMoe(op: MoeOp, to: Lowering): void {
  const { onnx } = to;
  const { expertsPerToken: k, width } = op;
  const name = (part: string) => `${op.id}.${part}`;
  const x = inputOf(op, 0);
  const { best, chosen } = op.grouped === undefined ? bestOfAll(op, to) : bestOfGroups(op, op.grouped, to);
  const slots = onnx.node('Reshape', name('slots'), [chosen, onnx.ints([-1])]);

  const parts: { readonly slots: string; readonly values: string }[] = [];
  for (let expert = 0; expert < op.experts; expert++) parts.push(lowerExpert(op, to, expert, x, slots));
  const order = onnx.node(
    'Concat',
    name('order'),
    parts.map((part) => part.slots),
    { axis: 0 },
  );
  const values = onnx.node(
    'Concat',
    name('values'),
    parts.map((part) => part.values),
    { axis: 0 },
  );

  const count = onnx.node('Size', name('slot_count'), [slots]);
  const zero = onnx.ints([0], true);
  const range = onnx.node('Range', name('range'), [zero, count, onnx.ints([1], true)]);
  const inverse = onnx.node('ScatterElements', name('inverse'), [range, order, range], { axis: 0 });
  const sorted = onnx.node('Gather', name('sorted'), [values, inverse], { axis: 0 });
  const byRow = onnx.node('Reshape', name('by_row'), [sorted, onnx.ints([-1, k, width])]);
  const weights = op.renormalise ? renormalised(op, to, best) : best;
  const shares =
    op.grouped === undefined
      ? weights
      : onnx.node('Mul', name('scaled'), [weights, onnx.float(op.grouped.expertScale)]);
  const column = onnx.node('Reshape', name('shares'), [shares, onnx.ints([-1, k, 1])]);
  const weighted = onnx.node('Mul', name('weighted'), [byRow, column]);
  onnx.node('ReduceSum', op.id, [weighted, onnx.ints([1])], { keepdims: 0 });
}

/** The chosen experts of every row and their weights before renormalisation, [rows, k] each. */
interface Choice {
  readonly best: string;
  readonly chosen: string;
}

function topK(op: MoeOp, { onnx }: Lowering, part: string, x: string, k: number): readonly [string, string] {
  const names = [`${op.id}.${part}`, `${op.id}.${part}_at`] as const;
  onnx.nodeWith([...names], 'TopK', [x, onnx.ints([k])], { axis: -1, largest: 1, sorted: 1 });
  return names;
}

/** Softmax over all experts. */
function bestOfAll(op: MoeOp, to: Lowering): Choice {
  const { onnx } = to;
  const name = `${op.id}.probabilities`;
  const probabilities = onnx.node('Softmax', name, [inputOf(op, 1)], { axis: -1 });
  const [best, chosen] = topK(op, to, 'best', probabilities, op.expertsPerToken);
  return { best, chosen };
}

/** A score that no expert of an open group falls to. */
const CLOSED = 1e30;

/** Biased sigmoid scores inside the best groups: see `GroupRouting`. */
function bestOfGroups(op: MoeOp, { groups, groupsPerToken }: GroupRouting, to: Lowering): Choice {
  const { onnx, weights } = to;
  const name = (part: string) => `${op.id}.${part}`;
  const scores = onnx.node('Sigmoid', name('scores'), [inputOf(op, 1)]);
  const biased = onnx.node('Add', name('biased'), [scores, weights.vector(weightOf(op, 3))]);
  const shape = onnx.ints([-1, groups, op.experts / groups]);
  const grouped = onnx.node('Reshape', name('grouped'), [biased, shape]);
  const [two] = topK(op, to, 'two', grouped, 2);
  const values = onnx.node('ReduceSum', name('group_values'), [two, onnx.ints([-1])], { keepdims: 0 });
  const [, open] = topK(op, to, 'groups', values, groupsPerToken);
  const ends = onnx.node('Concat', name('closed_open'), [oneFloat(to, 0), oneFloat(to, 1)], { axis: 0 });
  const marks = onnx.node('OneHot', name('marks'), [open, onnx.ints([groups], true), ends], { axis: -1 });
  const isOpen = onnx.node('ReduceSum', name('open'), [marks, onnx.ints([1])], { keepdims: 0 });
  const column = onnx.node('Unsqueeze', name('open_column'), [isOpen, onnx.ints([-1])]);
  const closed = onnx.node('Sub', name('closed'), [onnx.float(1), column]);
  const penalty = onnx.node('Mul', name('penalty'), [closed, onnx.float(CLOSED)]);
  const left = onnx.node('Sub', name('left'), [grouped, penalty]);
  const flat = onnx.node('Reshape', name('candidates'), [left, onnx.ints([-1, op.experts])]);
  const [, chosen] = topK(op, to, 'best', flat, op.expertsPerToken);
  return { best: onnx.node('GatherElements', name('best_scores'), [scores, chosen], { axis: 1 }), chosen };
}

/** A list of one float. */
function oneFloat({ onnx }: Lowering, value: number): string {
  return onnx.constant(`const.f32.list.${value}`, 'f32', [1], new Uint8Array(Float32Array.of(value).buffer));
}

/** SwiGLU of the rows whose slots chose this expert; there may be none. */
function lowerExpert(
  op: MoeOp,
  to: Lowering,
  expert: number,
  x: string,
  slots: string,
): { readonly slots: string; readonly values: string } {
  const { onnx, weights } = to;
  const name = (part: string) => `${op.id}.${expert}.${part}`;
  const here = onnx.node('Equal', name('here'), [slots, onnx.ints([expert], true)]);
  const found = onnx.node('NonZero', name('found'), [here]);
  const mine = onnx.node('Reshape', name('mine'), [found, onnx.ints([-1])]);
  const rows = onnx.node('Div', name('rows'), [mine, onnx.ints([op.expertsPerToken], true)]);
  const input = onnx.node('Gather', name('input'), [x, rows], { axis: 0 });
  const matrix = (index: number) => weights.matrix(weightOf(op, index), { index: expert });
  const gate = product(to, name('gate'), input, matrix(0), op.width, op.expertFfn);
  const up = product(to, name('up'), input, matrix(1), op.width, op.expertFfn);
  const sigmoid = onnx.node('Sigmoid', name('sigmoid'), [gate]);
  const silu = onnx.node('Mul', name('silu'), [gate, sigmoid]);
  const inner = onnx.node('Mul', name('inner'), [silu, up]);
  return { slots: mine, values: product(to, name('down'), inner, matrix(2), op.expertFfn, op.width) };
}

function renormalised(op: MoeOp, { onnx }: Lowering, best: string): string {
  const sum = onnx.node('ReduceSum', `${op.id}.best_sum`, [best, onnx.ints([-1])], { keepdims: 1 });
  return onnx.node('Div', `${op.id}.best_shares`, [best, sum]);
}
