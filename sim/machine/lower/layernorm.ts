import type { LayerNormOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';

/** LayerNorm: an RMSNorm, and additions for the mean and for the bias. Nobody has measured one on these machines. */
export const layernorm: OperatorRule<LayerNormOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) => {
    const { normOps, addOps } = context.stack.numbers;
    return rowOp(op, graph, context, {
      operators: ['NORM', 'MUL', 'ADD'],
      rows: op.rows,
      width: op.width,
      spread: { opsEach: normOps + 2 * addOps },
    });
  },
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
