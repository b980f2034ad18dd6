import type { RmsNormOp } from '../model/graph.js';
import { inputOf, type Lowering, weightOf } from './lowering.js';

/** What an RMSNorm works on: its input, with a row for each group where it normalizes heads on their own. */
export function normInput(op: RmsNormOp, { onnx }: Lowering): string {
  const source = inputOf(op, 0);
  if (op.groups <= 1) return source;
  return onnx.node('Reshape', `${op.id}.groups`, [source, onnx.ints([-1, op.groups, op.width / op.groups])]);
}

/** The end of an RMSNorm: normalized rows times the gain, in the shape of the input. */
export function normOutput(op: RmsNormOp, scaled: string, { onnx, weights }: Lowering): void {
  const gain = weights.vector(weightOf(op, 0));
  if (op.groups <= 1) {
    onnx.node('Mul', op.id, [scaled, gain]);
    return;
  }
  const normed = onnx.node('Mul', `${op.id}.normed`, [scaled, gain]);
  onnx.node('Reshape', op.id, [normed, onnx.ints([-1, op.width])]);
}
