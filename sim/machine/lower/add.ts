import type { AddOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';

/** A residual addition. */
export const add: OperatorRule<AddOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) =>
    rowOp(op, graph, context, {
      operators: ['ADD'],
      rows: op.rows,
      width: op.width,
      spread: { opsEach: context.stack.numbers.addOps },
    }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
