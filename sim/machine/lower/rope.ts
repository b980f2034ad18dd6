import type { RopeOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** Rotary embedding of queries or keys. */
export const rope: OperatorRule<RopeOp> = {
  key: ({ rows, heads, headDim }) => `${rows}:${heads * headDim}`,
  npu: (op, graph, context) => streamed(op, graph, context, { opsEach: context.stack.numbers.ropeOps }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
