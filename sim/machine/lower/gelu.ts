import type { GeluOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';

/** GELU: taken to cost what SwiGLU does, one exponential and a division. Nobody has measured one on these machines. */
export const gelu: OperatorRule<GeluOp> = {
  key: ({ rows, width, form }) => `${rows}:${width}:${form}`,
  npu: (op, graph, context) =>
    rowOp(op, graph, context, {
      operators: ['GELU'],
      rows: op.rows,
      width: op.width,
      spread: { opsEach: context.stack.numbers.swigluOps },
    }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
