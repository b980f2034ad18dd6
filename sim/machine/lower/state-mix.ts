import type { StateMixOp } from '../../../src/model/graph.js';
import { cpuStream, dotMacsPerMs, operandBytes } from '../cpu-model.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** A recurrent mixer: its state is read and written once a pass. */
export const stateMix: OperatorRule<StateMixOp> = {
  key: ({ mixer, rows, width, macs, stateBytes }) => `${mixer}:${rows}:${width}:${macs}:${stateBytes}`,
  npu: (op, graph, context) =>
    streamed(op, graph, context, { opsEach: context.stack.numbers.addOps, state: op.stateBytes }),
  cpu: (op, graph, profile) => {
    const { singleThreadMs, bytes } = cpuStream(
      op,
      graph,
      profile,
      operandBytes(op, graph) + 2 * op.stateBytes,
    );
    const macsMs = op.macs / dotMacsPerMs(profile, 'f32');
    return { singleThreadMs: Math.max(macsMs, singleThreadMs), bytes };
  },
};
