import type { RmsNormOp } from '../../../src/model/graph.js';
import type { SoftwareStack } from '../../stacks/stack.js';
import { cpuStream } from '../cpu-model.js';
import { rowOp } from './row-op.js';
import type { OperatorRule } from './rule.js';
import { bytesOf } from './tensors.js';

/** RMSNorm. Where its gain is an operator of its own, the normed rows make the way twice. */
export const rmsnorm: OperatorRule<RmsNormOp> = {
  key: ({ rows, width, groups }) => `${rows}:${width}:${groups}`,
  npu: (op, graph, context) => {
    const { numbers } = context.stack;
    const own = ownGain(context.stack);
    return rowOp(op, graph, context, {
      operators: own ? ['RMS_NORM', 'MUL'] : ['RMS_NORM+MUL'],
      rows: op.rows * op.groups,
      width: op.width / op.groups,
      spread: own
        ? { opsEach: numbers.normOps + numbers.addOps, again: bytesOf(graph, op.outputs) }
        : { opsEach: numbers.normOps },
    });
  },
  cpu: (op, graph, profile) => cpuStream(op, graph, profile),
  starts: (stack) => (ownGain(stack) ? 2 : 1),
};

function ownGain({ extraOperators }: SoftwareStack): boolean {
  return extraOperators.normGain;
}
