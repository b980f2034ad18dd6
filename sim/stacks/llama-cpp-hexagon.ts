import type { Op } from '../../src/model/graph.js';
import type { Quantity } from '../hardware/quantity.js';
import { groupInBatches } from './batches.js';
import { COMMON_NUMBERS } from './common-numbers.js';
import { type Device, type SoftwareStack, stackNumbers } from './stack.js';

const BACKEND = 'llama.cpp Hexagon backend';

const NUMBERS = stackNumbers({
  ...COMMON_NUMBERS,
  cpuThreads: { value: '6', kind: 'vendor', source: 'llama.cpp scripts/snapdragon', range: ['2', '8'] },
  matrixFromRows: { value: '4', kind: 'vendor', source: BACKEND },
  q4Layout: {
    ...{ value: '1.1111111', kind: 'vendor', source: BACKEND },
    note: '32x32 tiles of 576 B, aligned to 640 B',
  },
  q8Layout: {
    ...{ value: '1.0588235', kind: 'vendor', source: BACKEND },
    note: '32x32 tiles of 1088 B, aligned to 1152 B',
  },
  opStartMs: {
    ...{ value: '10 us', kind: 'assumed', source: 'no published figure', range: ['2 us', '25 us'] },
    note: 'high end: a futex wake of the worker pool in another backend (nntrainer doc 44)',
  },
  batchOps: { value: '1024', kind: 'vendor', source: BACKEND },
});

/** All quants of a row, then all scales: no padding (q4x4x2 and q8x4x2 in matmul-ops.c). */
const X4X2: Quantity = { value: 1, text: '1', dimension: 'count', kind: 'vendor', source: BACKEND };

/** The first architecture on which llama.cpp uses more than one session. */
const FIRST_WITH_SESSIONS = 75;

function base(numbers: ReturnType<typeof stackNumbers>): Omit<SoftwareStack, 'name' | 'description'> {
  /** GGML_HEXAGON_NDEV 1, 2, 4: the fewest whose windows hold the weights; one below V75. */
  const sessions: SoftwareStack['sessions'] = (weightBytes, { npuArch, window }) => {
    if (Number(npuArch.replace(/\D/g, '')) < FIRST_WITH_SESSIONS) return 1;
    return [1, 2, 4].find((count) => weightBytes <= 0.9 * count * window.bytes) ?? 4;
  };
  return {
    ...numbers,
    weightReuse: 'all-tiles',
    weightDecode: 'vector',
    activationsIn: 'dram',
    weightStream: 'queue',
    activations: 'f32',
    dispatch: 'queue',
    sessions,
    groups: (graph, profile) => groupInBatches(graph, profile, { numbers: numbers.numbers, sessions }, place),
  };
}

/** Token embeddings stay in a CPU buffer; everything else runs on the NPU, the head included. */
function place(op: Op): Device {
  return op.kind === 'embed' ? 'cpu' : 'npu';
}

/**
 * The Hexagon backend of llama.cpp: operators of a graph in batches over dspqueue, F32 activations in DRAM,
 * repacked 32x32 weight tiles. From 4 rows up a product runs on the matrix unit and a decoded tile meets all rows
 * that fit TCM; below, vector threads multiply 8-bit activations with the packed weights.
 */
export const llamaCppHexagon: SoftwareStack = {
  name: 'llama.cpp-hexagon',
  description: 'repacked 32x32 tiles decoded once for all rows, operators in batches, head on the NPU',
  ...base(NUMBERS),
};

/** The same backend before it used the matrix unit (until 2026-03): all products on vector threads. */
export const llamaCppHexagonHvx: SoftwareStack = {
  name: 'llama.cpp-hexagon-hvx',
  description: 'the Hexagon backend before its matrix-unit path: all products on vector threads',
  ...base({
    numbers: { ...NUMBERS.numbers, matrixFromRows: 1e9, q4Layout: 1, q8Layout: 1 },
    provenance: {
      ...NUMBERS.provenance,
      q4Layout: X4X2,
      q8Layout: X4X2,
      matrixFromRows: {
        ...{ value: 1e9, text: '1e9', dimension: 'count', kind: 'vendor', source: 'llama.cpp#19583, #20118' },
        note: 'no product reaches it',
      },
    },
  }),
};

/**
 * The kernels of arXiv:2509.23324 (htp-ops-lib): one session, requests by shared memory, Q4_0 repacked so that a vector
 * load takes whole groups (no padding) and streams in long transfers; the vocabulary projection stays on the CPU.
 */
export const htpOps: SoftwareStack = {
  name: 'htp-ops',
  description:
    'Q4_0 tiles of arXiv:2509.23324: long weight streams, matrix unit for every row, head on the CPU',
  ...base({
    numbers: { ...NUMBERS.numbers, matrixFromRows: 1, q4Layout: 1, q8Layout: 1 },
    provenance: {
      ...NUMBERS.provenance,
      q4Layout: { ...X4X2, source: 'arXiv:2509.23324' },
      q8Layout: { ...X4X2, source: 'arXiv:2509.23324' },
      matrixFromRows: { ...X4X2, source: 'arXiv:2509.23324' },
    },
  }),
  weightStream: 'bulk',
  sessions: () => 1,
  groups: (graph, profile) =>
    groupInBatches(graph, profile, { numbers: NUMBERS.numbers, sessions: () => 1 }, (op) =>
      op.layer === null ? 'cpu' : 'npu',
    ),
};
