import type { RmsNormOp } from '../../../src/model/graph.js';
import type { SoftwareStack } from '../../stacks/stack.js';
import { cpuStream } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';
import { bytesOf } from './tensors.js';

/** RMSNorm. Where its gain is an operator of its own, the normed rows make the way twice. */
export const rmsnorm: OperatorRule<RmsNormOp> = {
  key: ({ rows, width, groups }) => `${rows}:${width}:${groups}`,
  npu: (op, graph, context) => {
    const { numbers } = context.stack;
    if (!ownGain(context.stack)) return streamed(op, graph, context, { opsEach: numbers.normOps });
    const again = bytesOf(graph, op.outputs);
    return streamed(op, graph, context, { opsEach: numbers.normOps + numbers.addOps, again });
  },
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
  starts: (stack) => (ownGain(stack) ? 2 : 1),
};

function ownGain({ extraOperators }: SoftwareStack): boolean {
  return extraOperators.normGain;
}
