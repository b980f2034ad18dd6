import type { Op } from '../../src/model/graph.js';
import { COMMON_NUMBERS } from './common-numbers.js';
import { cpuStack } from './cpu.js';
import { llamaCppHexagon } from './llama-cpp-hexagon.js';
import { INTEGER_TILE } from './qnn.js';
import { type Device, groupPerOp, type SoftwareStack, stackNumbers } from './stack.js';

/** Kernels with 8-bit matrix instructions (i8mm): weights are decoded once for several rows. */
const GEMM_KERNELS = stackNumbers({
  ...COMMON_NUMBERS,
  gemmSpeedup: {
    value: '3',
    kind: 'derived',
    source: 'MNN gemm_speed_benchmark.md, gemv_bw_benchmark.md',
    range: ['2', '4.5'],
    note: 'SM8850, 4 threads: 598-888 GFLOPS of INT4 products; its matrix-vector rate on the same cores is 210 GFLOPS',
  },
});

/** MNN on CPU cores: an operator is divided by the compute rate of the core groups (`computeDivideSizes`). */
export const mnnCpu: SoftwareStack = {
  ...cpuStack,
  ...GEMM_KERNELS,
  name: 'mnn-cpu',
  description: 'MNN: all operators on CPU cores, 8-bit matrix kernels, each core gets work by its speed',
  threadShares: 'by-speed',
};

/** XNNPACK and KleidiAI kernels (ExecuTorch, llama.cpp with repacked Q4_0): a thread pool that steals work. */
export const cpuGemm: SoftwareStack = {
  ...mnnCpu,
  name: 'cpu-gemm',
  description:
    'XNNPACK, KleidiAI or repacked Q4_0 on CPU cores: 8-bit matrix kernels, work by the speed of a core',
};

/** Any engine on the GPU: every operator is a kernel bound by arithmetic or by DRAM; one wait a pass. */
export const gpuStack: SoftwareStack = {
  ...cpuStack,
  name: 'gpu',
  description: 'OpenCL-like: every operator one GPU kernel, a roofline with a launch cost',
  groups: (graph) => groupPerOp(graph, (op) => (op.kind === 'embed' ? 'cpu' : 'gpu')),
};

/** The matrices of a layer stack run on the NPU, everything else on the CPU. */
function placeProducts(op: Op): Device {
  return op.kind === 'matmul' || op.kind === 'moe' ? 'npu' : 'cpu';
}

const HYBRID = {
  weightReuse: 'all-tiles',
  activationsIn: 'dram',
  dispatch: 'remote-call',
  sessions: () => 1,
  groups: (graph) => groupPerOp(graph, placeProducts),
} as const satisfies Partial<SoftwareStack>;

/**
 * llm.npu (arXiv:2407.05858): 8-bit products in prebuilt graphs of 256 rows on the NPU, attention and norms in floating
 * point on the CPU. Its out-of-order overlap of the two is not modelled: they follow each other.
 */
export const llmNpu: SoftwareStack = {
  ...HYBRID,
  name: 'llm.npu',
  description: 'chunks of 256 rows: 8-bit products on the NPU, attention and norms on the CPU, no overlap',
  ...stackNumbers({
    ...COMMON_NUMBERS,
    rowTiles: INTEGER_TILE,
    matrixRate: {
      value: '2',
      kind: 'derived',
      source: 'arXiv:2501.14794',
      range: ['1', '2'],
      note: '8-bit products at twice the FP16 rate (34 v 17 T)',
    },
    q8Layout: {
      value: '0.9411765',
      kind: 'derived',
      source: 'arXiv:2407.05858 (per tensor)',
      note: '8 bits',
    },
    prefillRows: { value: '256', kind: 'vendor', source: 'arXiv:2407.05858' },
  }),
  weightDecode: 'none',
  weightStream: 'bulk',
};

/** nntrainer with HexKL: u8 x i4 products by remote call, expert by expert through one DMA queue; the rest on the CPU. */
export const nntrainer: SoftwareStack = {
  ...HYBRID,
  name: 'nntrainer',
  description: 'HexKL u8 x i4 products on the NPU, one remote call each, the rest on the CPU',
  ...stackNumbers({
    ...COMMON_NUMBERS,
    rowTiles: INTEGER_TILE,
    matrixRate: {
      value: '0.4',
      kind: 'measured',
      source: 'nntrainer doc 34',
      range: ['0.4', '2'],
      note: '0.019 us for each of the 64x32x32 products it issues one by one, 3.45 T multiply-accumulates a second; high end: 8-bit products at twice the FP16 rate',
    },
    matrixFromRows: {
      value: '2',
      kind: 'vendor',
      source: 'nntrainer HTP ledger',
      note: 'one row is a matrix-vector product on the vector threads, which read DRAM themselves',
    },
    q4Layout: {
      value: '0.8888889',
      kind: 'derived',
      source: 'nntrainer doc 44',
      note: '512 B a tile of 1024 weights',
    },
    opStartMs: {
      value: '25 us',
      kind: 'measured',
      source: 'nntrainer doc 44',
      note: 'futex wake of the worker pool',
    },
  }),
  weightDecode: 'none',
  weightStream: 'queue',
  vectorWeights: 'direct',
  // One row is faster on the CPU but for the experts, whose weights the vector threads read (nntrainer lessons.md, D1).
  groups: (graph) =>
    groupPerOp(graph, (op) => (op.kind === 'matmul' && graph.shape.rows === 1 ? 'cpu' : placeProducts(op))),
};

/** A llama.cpp backend of the same design that is called by FastRPC instead of a queue (llama.cpp#26373). */
export const llamaCppFastRpc: SoftwareStack = {
  ...llamaCppHexagon,
  name: 'llama.cpp-fastrpc',
  description: 'as llama.cpp-hexagon, batches by remote call',
  dispatch: 'remote-call',
};
