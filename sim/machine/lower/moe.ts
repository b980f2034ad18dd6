import type { MoeOp, OpGraph } from '../../../src/model/graph.js';
import { dotMacsPerMs } from '../cpu-model.js';
import type { Kernel, LowerContext } from '../kernel.js';
import { lowerProduct } from './any-product.js';
import type { OperatorRule } from './rule.js';
import { bytesOf, inputBytesEach, storedBytes, tensorOf } from './tensors.js';

/**
 * Routed experts: every expert that gets a row streams its three matrices. Under uniform routing `rows` rows
 * reach experts * (1 - (1 - k / experts)^rows) different experts in expectation.
 */
function onNpu(op: MoeOp, graph: OpGraph, context: LowerContext): Kernel {
  const { rows, width, experts, expertsPerToken, expertFfn } = op;
  const reached = Math.ceil(reachedExperts(op));
  const rowsEach = Math.max(1, Math.ceil((rows * expertsPerToken) / reached));
  const inputBytes = inputBytesEach(graph, context);
  const product = (id: string, inWidth: number, outWidth: number): Kernel => {
    const weight = tensorOf(graph, id);
    return lowerProduct(
      {
        owner: op.id,
        rows: rowsEach,
        inWidth,
        outWidth,
        bytesPerWeight: storedBytes(weight, context) / (experts * expertFfn * width),
        packed: weight.dtype !== 'f16' && context.stack.weightDecode === 'vector',
        inputBytes,
        outputBytes: inputBytes,
      },
      context,
    );
  };
  const up = product(op.weights[0], width, expertFfn);
  // Files keep it in another format than the other two.
  const down = product(op.weights[2], expertFfn, width);
  return {
    // Gate and up have the same shape.
    pipelines: [...up.pipelines, ...up.pipelines, ...down.pipelines],
    repeats: reached,
    dmaBytes: reached * (2 * up.dmaBytes + down.dmaBytes),
    l2Bytes: reached * (2 * up.l2Bytes + down.l2Bytes),
    matrixMacs: reached * (2 * up.matrixMacs + down.matrixMacs),
    tcmPeakBytes: Math.max(up.tcmPeakBytes, down.tcmPeakBytes),
  };
}

/** Expected number of different experts that `rows` rows reach under uniform routing. */
export function reachedExperts(op: MoeOp): number {
  return op.experts * (1 - (1 - op.expertsPerToken / op.experts) ** op.rows);
}

/** How routed experts become work. */
export const moe: OperatorRule<MoeOp> = {
  key: ({ rows, width, experts, expertsPerToken, expertFfn, weights }, graph) =>
    [
      rows,
      width,
      experts,
      expertsPerToken,
      expertFfn,
      ...weights.map((id) => tensorOf(graph, id).dtype),
    ].join(':'),
  npu: onNpu,
  cpu: (op, graph, profile) => {
    const activations = bytesOf(graph, op.inputs) + bytesOf(graph, op.outputs);
    return {
      singleThreadMs: op.macs / dotMacsPerMs(profile, tensorOf(graph, op.weights[0]).dtype),
      bytes: activations + bytesOf(graph, op.weights) * (reachedExperts(op) / op.experts),
    };
  },
};
