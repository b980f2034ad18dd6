import type { MoeOp } from '../model/graph.js';
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
  const probabilities = onnx.node('Softmax', name('probabilities'), [inputOf(op, 1)], { axis: -1 });
  const [best, chosen] = [name('best'), name('chosen')];
  onnx.nodeWith([best, chosen], 'TopK', [probabilities, onnx.ints([k])], { axis: -1, largest: 1, sorted: 1 });
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
  const shares = op.renormalise ? renormalised(op, to, best) : best;
  const column = onnx.node('Reshape', name('shares'), [shares, onnx.ints([-1, k, 1])]);
  const weighted = onnx.node('Mul', name('weighted'), [byRow, column]);
  onnx.node('ReduceSum', op.id, [weighted, onnx.ints([1])], { keepdims: 0 });
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
