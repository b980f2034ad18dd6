import type { AddOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** A residual addition. */
export const add: OperatorRule<AddOp> = {
  key: ({ rows, width }) => `${rows}:${width}`,
  npu: (op, graph, context) => streamed(op, graph, context, { opsEach: context.stack.numbers.addOps }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
