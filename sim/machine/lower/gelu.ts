import type { GeluOp } from '../../../src/model/graph.js';
import { cpuStream } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** GELU: taken to cost what SwiGLU does, one exponential and a division. Nobody has measured one on these machines. */
export const gelu: OperatorRule<GeluOp> = {
  key: ({ rows, width, form }) => `${rows}:${width}:${form}`,
  npu: (op, graph, context) => streamed(op, graph, context, { opsEach: context.stack.numbers.swigluOps }),
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
};
