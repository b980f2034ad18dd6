import type { RopeOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';

/** Rotary embedding of queries or keys. */
export const rope: OperatorRule<RopeOp> = {
  key: ({ rows, heads, headDim }) => `${rows}:${heads * headDim}`,
  npu: (op, graph, context) =>
    rowOp(op, graph, context, {
      operators: ['ROPE'],
      rows: op.rows * op.heads,
      width: op.headDim,
      heads: op.heads,
      spread: { opsEach: context.stack.numbers.ropeOps },
    }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
