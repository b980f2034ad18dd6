import type { Op } from '../../src/model/graph.js';
import { COMMON_NUMBERS } from './common-numbers.js';
import { type Device, groupPerOp, type SoftwareStack, stackNumbers } from './stack.js';

/**
 * llada.cpp (arXiv:2606.13740, sections 3.3 and 4): 32-row FP16 matrix tiles, Q4_0 decoded on the vector unit,
 * attention on the NPU, embedding and vocabulary projection on the CPU, one FastRPC dispatch per operator.
 *
 * No decoded weight is reused between row tiles: the paper's FFN-down latency grows by the same amount with
 * each tile from an intercept of about zero (Fig. 3a), so a tile repeats all of the operator's work.
 */
export const lladaCpp: SoftwareStack = {
  name: 'llada.cpp',
  description:
    'FP16 32-row tiles, Q4_0 decoded per tile on the vector unit, head on the CPU, dispatch per operator',
  ...stackNumbers({
    ...COMMON_NUMBERS,
    cpuThreads: {
      value: '6',
      kind: 'vendor',
      source: 'llama.cpp scripts/snapdragon',
      range: ['2', '8'],
      note: 'threads of offloaded runs on SM8650, SM8750 and SM8850 (-t 6 --cpu-mask 0xfc); arXiv:2606.13740 does not say',
    },
  }),
  weightReuse: 'none',
  weightDecode: 'vector',
  activationsIn: 'dram',
  weightStream: 'queue',
  dispatch: 'remote-call',
  sessions: () => 1,
  groups: (graph) => groupPerOp(graph, place),
};

/** Operators outside the layer stack (embedding, head and its norm) stay off the NPU's address window. */
function place(op: Op): Device {
  return op.layer === null ? 'cpu' : 'npu';
}
