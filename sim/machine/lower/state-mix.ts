import type { StateMixOp } from '../../../src/model/graph.js';
import { cpuStream, dotMacsPerMs, operandBytes } from '../cpu-model.js';
import type { Kernel, LowerContext } from '../kernel.js';
import { combined } from './combined.js';
import { rowsKernel } from './htp/rows.js';
import { concatKernel, convKernel, keepKernel } from './htp/short-conv.js';
import type { OperatorRule } from './rule.js';
import { streamed } from './streamed.js';

/** Of a state and its channels. */
const F32_BYTES = 4;

/**
 * The operators of llama.cpp for LFM2's mixer: gate times input, its state before it, the state kept, the convolution, the gate
 * of the output.
 */
function shortConv({ rows, width, stateBytes }: StateMixOp, context: LowerContext): Kernel {
  const work = { channels: width, taps: stateBytes / (F32_BYTES * width) + 1, rows };
  const times = rowsKernel(
    { operator: 'MUL', rows, width, inputBytes: F32_BYTES, outputBytes: F32_BYTES },
    context,
  );
  return combined([
    times,
    concatKernel(work, context),
    keepKernel(work, context),
    convKernel(work, context),
    times,
  ]);
}

/** A recurrent mixer: its state is read and written once a pass. */
export const stateMix: OperatorRule<StateMixOp> = {
  key: ({ mixer, rows, width, macs, stateBytes }) => `${mixer}:${rows}:${width}:${macs}:${stateBytes}`,
  npu: (op, graph, context) =>
    op.mixer === 'short-conv' && context.stack.kernelLoops === 'htp'
      ? shortConv(op, context)
      : streamed(op, graph, context, { opsEach: context.stack.numbers.addOps, state: op.stateBytes }),
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
