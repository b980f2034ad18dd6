import type { Op } from '../../src/model/graph.js';
import type { QuantityEntry } from '../hardware/quantity.js';
import { groupInBatches } from './batches.js';
import { COMMON_NUMBERS } from './common-numbers.js';
import { type Device, type SoftwareStack, type StackNumbers, stackNumbers } from './stack.js';

/** Keys and values are cached in 8 bits (ExecuTorch's Qualcomm LLaMA export: `kv_type=torch.uint8`). */
const QUANTIZED_KV = 1;

/** Rows of 8-bit activations in a 2 KiB tile, in tiles of 32. */
export const INTEGER_TILE: QuantityEntry = {
  value: '2',
  kind: 'derived',
  source: 'nntrainer doc 44',
  note: 'HexKL multiplies u8 x i4 in tiles of 64 rows',
};

const GRAPH_NUMBERS: Readonly<Record<keyof StackNumbers, QuantityEntry>> = {
  ...COMMON_NUMBERS,
  q4Layout: {
    value: '0.8888889',
    kind: 'derived',
    source: 'Qualcomm AI Hub (W4A16, per channel)',
    note: '4 bits a weight, a scale per output channel',
  },
  q8Layout: { value: '0.9411765', kind: 'derived', source: 'Qualcomm AI Hub (per channel)', note: '8 bits' },
  opStartMs: {
    value: '1 us',
    kind: 'assumed',
    source: 'no published figure',
    range: ['0 us', '5 us'],
    note: 'a statically scheduled graph wakes no threads per operator',
  },
  batchOps: { value: '1e9', kind: 'vendor', source: 'QNN: one execute per graph' },
  prefillRows: { value: '128', kind: 'vendor', source: 'Qualcomm AI Hub (128-token prompt graphs)' },
};

/** Weights of one context binary: 3-8B models are cut into about four (ExecuTorch, Genie, PowerServe). */
const SHARD_BYTES = 2 ** 30;

/** Softmax of compiled graphs: scores of 16 bits, and of 8. */
const GRAPH_SOFTMAX: QuantityEntry = {
  value: '1.8',
  kind: 'derived',
  source: 'nntrainer doc 36 (QNN optrace)',
  range: ['1', '3.6'],
  note: '0.24 thread cycles a score, exponential included, with 8-bit scores on V79-class HTP, so half as fast with 16-bit ones; the fused F16 kernel takes 0.86',
};
const GRAPH_SOFTMAX_8_BIT: QuantityEntry = {
  value: '3.6',
  kind: 'measured',
  source: 'nntrainer doc 36 (QNN optrace)',
  range: ['1.8', '3.6'],
  note: '0.24 thread cycles a score, exponential included; the fused F16 kernel takes 0.86',
};

/** Without a decoded FP16 copy, as many bytes hold four times the weights. */
const PACKED_CHUNK: QuantityEntry = {
  value: '2097152',
  kind: 'assumed',
  source: 'own estimate',
  range: ['524288', '4194304'],
  note: '1 MiB of packed weights per chunk, as other stacks hold 1 MiB of decoded ones',
};

interface Variant {
  readonly name: string;
  readonly description: string;
  readonly weightDecode: SoftwareStack['weightDecode'];
  readonly kvElementBytes?: 1 | 2;
  readonly numbers: Partial<Record<keyof StackNumbers, QuantityEntry>>;
}

function graphStack({ name, description, weightDecode, kvElementBytes, numbers }: Variant): SoftwareStack {
  const checked = stackNumbers({ ...GRAPH_NUMBERS, ...numbers });
  /** Each context has its own window of up to 4 GB. */
  const sessions: SoftwareStack['sessions'] = (weightBytes) =>
    Math.max(1, Math.ceil(weightBytes / SHARD_BYTES));
  return {
    name,
    description,
    weightDecode,
    sessions,
    ...checked,
    weightReuse: 'all-tiles',
    activationsIn: 'tcm',
    weightStream: 'bulk',
    dispatch: 'remote-call',
    staticShapes: true,
    ...(kvElementBytes === undefined ? {} : { kvElementBytes }),
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
  kvElementBytes: QUANTIZED_KV,
  numbers: {
    chunkWeights: PACKED_CHUNK,
    softmaxSpeed: GRAPH_SOFTMAX,
    rowTiles: {
      value: '1',
      kind: 'derived',
      source: 'nntrainer doc 44',
      note: 'a 2 KiB tile holds 64 rows of 8 bits (HexKL), so 32 of 16',
    },
    matrixRate: {
      value: '1',
      kind: 'derived',
      source: 'arXiv:2501.14794',
      range: ['0.5', '2'],
      note: '8-bit products at twice the FP16 rate (34 v 17 T); 16-bit activations take two of them',
    },
  },
});

/** The same with 8-bit activations: one pass instead of two. */
export const qnnA8 = graphStack({
  name: 'qnn-a8',
  description: 'static graph with 8-bit activations',
  weightDecode: 'none',
  kvElementBytes: QUANTIZED_KV,
  numbers: {
    chunkWeights: PACKED_CHUNK,
    softmaxSpeed: GRAPH_SOFTMAX_8_BIT,
    rowTiles: INTEGER_TILE,
    matrixRate: {
      value: '2',
      kind: 'derived',
      source: 'arXiv:2501.14794',
      range: ['1', '2'],
      note: '8-bit products at twice the FP16 rate (34 v 17 T)',
    },
  },
});

/** The same with FP16 activations: 4-bit weights are decoded on the vector threads, FP16 ones taken as they are. */
export const qnnFp16 = graphStack({
  name: 'qnn-fp16',
  description: 'static graph with FP16 activations: packed weights decoded on the vector threads',
  weightDecode: 'vector',
  numbers: {
    matrixRate: {
      value: '0.83',
      kind: 'measured',
      source: 'arXiv:2501.14794',
      range: ['0.6', '1'],
      note: 'about 10 TFLOPS in practice through QNN, where 12.03 are reached from TCM by hand (arXiv:2509.23324)',
    },
  },
});

/**
 * T-MAN (arXiv:2511.11248): operators of its own inside QNN graphs, 4-bit weights with group scales decoded by table
 * look-up on the vector threads beside the transfer and the FP16 products. Timed with this project's decode rate.
 */
export const tMan = graphStack({
  name: 't-man',
  description:
    'static graph with FP16 activations and group-wise 4-bit weights decoded on the vector threads',
  weightDecode: 'vector',
  numbers: {
    q4Layout: {
      value: '1',
      kind: 'derived',
      source: 'arXiv:2511.11248',
      note: 'per-group scales, as Q4_0 has them',
    },
  },
});
