import type { GatherRowsOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';
import { bytesOf } from './tensors.js';

/** Keeps some rows: only those are read. */
export const gatherRows: OperatorRule<GatherRowsOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) =>
    rowOp(op, graph, context, {
      operators: ['GET_ROWS'],
      rows: op.rows,
      width: op.width,
      spread: { opsEach: context.stack.numbers.addOps, operands: bytesOf(graph, op.outputs) },
    }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile, 2 * bytesOf(graph, op.outputs)),
};
