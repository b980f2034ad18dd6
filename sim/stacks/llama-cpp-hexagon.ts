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
    value: '1.1111111',
    kind: 'vendor',
    source: BACKEND,
    note: '32x32 tiles of 576 B, aligned to 640 B',
  },
  q8Layout: {
    value: '1.0588235',
    kind: 'vendor',
    source: BACKEND,
    note: '32x32 tiles of 1088 B, aligned to 1152 B',
  },
  opStartMs: {
    value: '10 us',
    kind: 'assumed',
    source: 'no published figure',
    range: ['2 us', '25 us'],
    note: 'high end: a futex wake of the worker pool in another backend (nntrainer doc 44)',
  },
  batchOps: { value: '1024', kind: 'vendor', source: BACKEND },
  vectorIpc: {
    value: '0.52',
    kind: 'derived',
    source: 'llama.cpp#18139',
    range: ['0.52', '1.4'],
    note: '2.05 packets a cycle of all six threads, profiled on V79, of 1.52 instructions (own kernels under emulation, hw/hvx)',
  },
  attentionRows: {
    value: '256',
    kind: 'derived',
    source: BACKEND,
    range: ['64', '512'],
    note: 'block solver of hmx-flash-attn-ops.c for 4 query heads of 128 to a key head and 8 MiB',
  },
  softmaxSpeed: {
    value: '0.5',
    kind: 'vendor',
    source: 'llama.cpp#22347',
    range: ['0.5', '1'],
    note: 'exponential in F32 by default, 44 operations where the F16 one takes 22; 40 % of the kernel were measured with it',
  },
  overlapFromRows: {
    value: '33',
    kind: 'vendor',
    source: BACKEND,
    note: 'the loop without overlap serves at most 32 rows (hmx_matmul_2d_f32)',
  },
});

/** All quants of a row, then all scales: no padding (q4x4x2 and q8x4x2 in matmul-ops.c). */
const X4X2: Quantity = { value: 1, text: '1', dimension: 'count', kind: 'vendor', source: BACKEND };

const COMMON = stackNumbers(COMMON_NUMBERS);
const MNN_LAYOUT: Quantity = { ...X4X2, source: 'MNN htp-ops-lib' };

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
    // hex-dma.h sets srcbypass and dstbypass from V73 on; weights of matrix products come through queue 0.
    weightStream: 'bypass',
    activations: 'f32',
    productActivations: 'queues',
    elementwise: 'queues',
    extraOperators: { normGain: false, kvWrites: true },
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

/** Weights in rows of quants and scales: decoding them scatters FP16 values into matrix tiles. */
const FLAT = stackNumbers({
  ...COMMON_NUMBERS,
  decodeSpeed: {
    value: '0.185',
    kind: 'derived',
    source: 'arXiv:2509.23324',
    range: ['0.053', '0.55'],
    note: 'decoding the conventional layout takes 9.65 to 19.04 times as long as the tile-ordered one, 1.82 to 3.45 times of it by groups that do not fill a vector; x4x2 rows fill one, which leaves 5.3 to 5.5 for the scatter',
  },
});

/**
 * The same backend when it had learnt to use the matrix unit and before its weights were repacked in tiles (llama.cpp
 * #20693 to #24954): rows of all quants, then all scales; conversion threads read F32 activations through the cache; the
 * gain of a norm is an operator of its own (until #23835).
 */
export const llamaCppHexagonFlat: SoftwareStack = {
  name: 'llama.cpp-hexagon-flat',
  description:
    'the Hexagon backend with matrix products and weights in plain rows, scattered into tiles as decoded',
  ...base({
    numbers: {
      ...NUMBERS.numbers,
      q4Layout: 1,
      q8Layout: 1,
      overlapFromRows: 1,
      decodeSpeed: FLAT.numbers.decodeSpeed,
    },
    provenance: {
      ...NUMBERS.provenance,
      q4Layout: X4X2,
      q8Layout: X4X2,
      decodeSpeed: FLAT.provenance.decodeSpeed,
      overlapFromRows: { ...X4X2, source: 'llama.cpp#23368', note: 'one pipelined loop for all row counts' },
    },
  }),
  productActivations: 'direct',
  extraOperators: { normGain: true, kvWrites: true },
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
        value: 1e9,
        text: '1e9',
        dimension: 'count',
        kind: 'vendor',
        source: 'llama.cpp#19583, #20118',
        note: 'no product reaches it',
      },
    },
  }),
  productActivations: 'direct',
  extraOperators: { normGain: true, kvWrites: true },
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
    numbers: {
      ...NUMBERS.numbers,
      matrixFromRows: 1,
      q4Layout: 1,
      q8Layout: 1,
      softmaxSpeed: 1,
      overlapFromRows: 1,
    },
    provenance: {
      ...NUMBERS.provenance,
      softmaxSpeed: COMMON.provenance.softmaxSpeed,
      overlapFromRows: COMMON.provenance.overlapFromRows,
      q4Layout: { ...X4X2, source: 'arXiv:2509.23324' },
      q8Layout: { ...X4X2, source: 'arXiv:2509.23324' },
      matrixFromRows: { ...X4X2, source: 'arXiv:2509.23324' },
    },
  }),
  sessions: () => 1,
  groups: (graph, profile) =>
    groupInBatches(graph, profile, { numbers: NUMBERS.numbers, sessions: () => 1 }, (op) =>
      op.layer === null ? 'cpu' : 'npu',
    ),
};

/**
 * MNN's Hexagon backend: FP16 activations in DRAM, fetched by a DMA queue through the cache beside the other stages, weight tiles
 * of 512 B with a 64 B block of scales decoded on the vector threads (htp-ops-lib/src/dsp/ops/matmul_q4fp16.c).
 */
export const mnnHexagon: SoftwareStack = {
  name: 'mnn-hexagon',
  description: 'MNN on the NPU: FP16 activations, weight tiles decoded once for all rows, head on the NPU',
  ...base({
    numbers: {
      ...NUMBERS.numbers,
      q4Layout: 1,
      q8Layout: 1,
      softmaxSpeed: 1,
      attentionRows: 32,
      overlapFromRows: 1,
    },
    provenance: {
      ...NUMBERS.provenance,
      q4Layout: MNN_LAYOUT,
      q8Layout: MNN_LAYOUT,
      attentionRows: COMMON.provenance.attentionRows,
      softmaxSpeed: COMMON.provenance.softmaxSpeed,
      overlapFromRows: COMMON.provenance.overlapFromRows,
    },
  }),
  weightStream: 'queue',
  activations: 'f16',
  productActivations: 'dma',
  elementwise: 'l2',
  extraOperators: { normGain: false, kvWrites: true },
};
