import type { MatMulOp, OpGraph } from '../../../src/model/graph.js';
import { cpuDotProducts } from '../cpu-model.js';
import type { Kernel, LowerContext } from '../kernel.js';
import { lowerProduct } from './any-product.js';
import type { OperatorRule } from './rule.js';
import { inputBytesEach, outputBytesEach, storedBytes, tensorOf } from './tensors.js';

function onNpu(op: MatMulOp, graph: OpGraph, context: LowerContext): Kernel {
  const weight = tensorOf(graph, op.weights[0]);
  return lowerProduct(
    {
      owner: op.id,
      rows: op.rows,
      inWidth: op.inWidth,
      outWidth: op.outWidth,
      bytesPerWeight: storedBytes(weight, context) / (op.inWidth * op.outWidth),
      packed: weight.dtype !== 'f16' && context.stack.weightDecode === 'vector',
      inputBytes: inputBytesEach(graph, context),
      outputBytes: outputBytesEach(op, graph, context),
    },
    context,
  );
}

/** Rows from which a kernel that decodes weights once for several rows gains: i8mm kernels of KleidiAI take four. */
const GEMM_ROWS = 4;

/** How a matrix product becomes work. */
export const matmul: OperatorRule<MatMulOp> = {
  key: ({ rows, inWidth, outWidth, weights }, graph) =>
    `${rows}:${inWidth}:${outWidth}:${tensorOf(graph, weights[0]).dtype}`,
  npu: onNpu,
  cpu: (op, graph, profile, { headSpeedup, gemmSpeedup }) => {
    const speedup = (op.role === 'head' ? headSpeedup : 1) * (op.rows >= GEMM_ROWS ? gemmSpeedup : 1);
    const { singleThreadMs, bytes } = cpuDotProducts(
      op,
      graph,
      profile,
      tensorOf(graph, op.weights[0]).dtype,
    );
    return { singleThreadMs: singleThreadMs / speedup, bytes };
  },
};
