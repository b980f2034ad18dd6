import type { Op } from '../../src/model/graph.js';
import type { QuantityEntry } from '../hardware/quantity.js';
import { groupInBatches } from './batches.js';
import { COMMON_NUMBERS } from './common-numbers.js';
import { type Device, type SoftwareStack, type StackNumbers, stackNumbers } from './stack.js';

const INTEGER_TILE: QuantityEntry = {
  ...{ value: '2', kind: 'derived', source: 'nntrainer doc 44' },
  note: 'HexKL multiplies u8 x i4 in tiles of 64 rows',
};

const GRAPH_NUMBERS: Readonly<Record<keyof StackNumbers, QuantityEntry>> = {
  ...COMMON_NUMBERS,
  q4Layout: {
    ...{ value: '0.8888889', kind: 'derived', source: 'Qualcomm AI Hub (W4A16, per channel)' },
    note: '4 bits a weight, a scale per output channel',
  },
  q8Layout: { value: '0.9411765', kind: 'derived', source: 'Qualcomm AI Hub (per channel)', note: '8 bits' },
  opStartMs: {
    ...{ value: '1 us', kind: 'assumed', source: 'no published figure', range: ['0 us', '5 us'] },
    note: 'a statically scheduled graph wakes no threads per operator',
  },
  batchOps: { value: '1e9', kind: 'vendor', source: 'QNN: one execute per graph' },
  prefillRows: { value: '128', kind: 'vendor', source: 'Qualcomm AI Hub (128-token prompt graphs)' },
};

/** Weights of one context binary: 3-8B models are cut into about four (ExecuTorch, Genie, PowerServe). */
const SHARD_BYTES = 2 ** 30;

interface Variant {
  readonly name: string;
  readonly description: string;
  readonly weightDecode: SoftwareStack['weightDecode'];
  readonly numbers: Partial<Record<keyof StackNumbers, QuantityEntry>>;
}

function graphStack({ name, description, weightDecode, numbers }: Variant): SoftwareStack {
  const checked = stackNumbers({ ...GRAPH_NUMBERS, ...numbers });
  /** Each context has its own window of up to 4 GB. */
  const sessions: SoftwareStack['sessions'] = (weightBytes) =>
    Math.max(1, Math.ceil(weightBytes / SHARD_BYTES));
  return {
    ...{ name, description, weightDecode, sessions, ...checked },
    ...{ weightReuse: 'all-tiles', activationsIn: 'tcm', staticKeys: true, dispatch: 'remote-call' },
    groups: (graph, profile) => groupInBatches(graph, profile, { numbers: checked.numbers, sessions }, place),
  };
}

/** The embedding is a table look-up on the host; the graph starts from hidden states. */
function place(op: Op): Device {
  return op.kind === 'embed' ? 'cpu' : 'npu';
}

/**
 * Statically compiled QNN graphs with 4-bit weights and 16-bit activations: the matrix unit takes packed weights
 * as they are, activations stay in TCM, weights are prefetched across operators, one dispatch per context binary.
 */
export const qnn = graphStack({
  name: 'qnn',
  description: 'static W4A16 graph: packed weights straight to the matrix unit, one dispatch per shard',
  weightDecode: 'none',
  numbers: {
    rowTiles: INTEGER_TILE,
    matrixRate: {
      ...{ value: '1', kind: 'derived', source: 'arXiv:2501.14794', range: ['0.5', '2'] },
      note: '8-bit products at twice the FP16 rate (34 v 17 T); 16-bit activations take two of them',
    },
  },
});

/** The same with 8-bit activations: one pass instead of two. */
export const qnnA8 = graphStack({
  name: 'qnn-a8',
  description: 'static graph with 8-bit activations',
  weightDecode: 'none',
  numbers: {
    rowTiles: INTEGER_TILE,
    matrixRate: {
      ...{ value: '2', kind: 'derived', source: 'arXiv:2501.14794', range: ['1', '2'] },
      note: '8-bit products at twice the FP16 rate (34 v 17 T)',
    },
  },
});

/** The same with FP16 activations: 4-bit weights are decoded on the vector threads, FP16 ones taken as they are. */
export const qnnFp16 = graphStack({
  name: 'qnn-fp16',
  description: 'static graph with FP16 activations: packed weights decoded on the vector threads',
  weightDecode: 'vector',
  numbers: {},
});
