import type { RmsNormOp } from '../../src/model/graph.js';
import type { Lowering } from '../../src/onnx/lowering.js';
import { normInput, normOutput } from '../../src/onnx/norm-parts.js';

/** Smallest magnitude that a row is divided by; a row of zeros stays one. */
const SMALLEST = 1e-4;

/**
 * RMSNorm that halves survive: x / m / sqrt(mean((x / m)^2) + eps / m^2) * gain with m = max |x| of the row. Without m
 * the squares of a row with a value above 256, or their sum, leave the range of a half, saturate, and the row comes
 * out too large. In f32 both forms are the same up to rounding.
 */
export function lowerScaledNorm(op: RmsNormOp, to: Lowering): void {
  const { onnx } = to;
  const x = normInput(op, to);
  const axis = onnx.ints([-1]);
  const magnitude = onnx.node('Abs', `${op.id}.abs`, [x]);
  const largest = onnx.node('ReduceMax', `${op.id}.largest`, [magnitude, axis], { keepdims: 1 });
  const divisor = onnx.node('Max', `${op.id}.divisor`, [largest, onnx.float(SMALLEST)]);
  const unit = onnx.node('Div', `${op.id}.unit`, [x, divisor]);
  const square = onnx.node('Mul', `${op.id}.square`, [unit, unit]);
  const mean = onnx.node('ReduceMean', `${op.id}.mean`, [square, axis], { keepdims: 1 });
  const epsRoot = onnx.node('Div', `${op.id}.eps_root`, [onnx.float(Math.sqrt(op.eps)), divisor]);
  const eps = onnx.node('Mul', `${op.id}.eps`, [epsRoot, epsRoot]);
  const root = onnx.node('Sqrt', `${op.id}.root`, [onnx.node('Add', `${op.id}.sum`, [mean, eps])]);
  normOutput(op, onnx.node('Div', `${op.id}.scaled`, [unit, root]), to);
}
