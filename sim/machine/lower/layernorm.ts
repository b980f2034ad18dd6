import type { LayerNormOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** LayerNorm: an RMSNorm, and additions for the mean and for the bias. Nobody has measured one on these machines. */
export const layernorm: OperatorRule<LayerNormOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) => {
    const { normOps, addOps } = context.stack.numbers;
    return streamed(op, graph, context, { opsEach: normOps + 2 * addOps });
  },
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
