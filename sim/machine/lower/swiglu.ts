import type { SwigluOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** The gate of a feed-forward layer. */
export const swiglu: OperatorRule<SwigluOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) => streamed(op, graph, context, { opsEach: context.stack.numbers.swigluOps }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
