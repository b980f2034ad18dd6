import type { SwigluOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';

/** The gate of a feed-forward layer. */
export const swiglu: OperatorRule<SwigluOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) =>
    rowOp(op, graph, context, {
      operators: ['SWIGLU'],
      rows: op.rows,
      width: op.width,
      spread: { opsEach: context.stack.numbers.swigluOps },
    }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
