import type { QuantityEntry } from '../hardware/quantity.js';
import type { StackNumbers } from './stack.js';

const CHOICE = 'own estimate';

/** Numbers shared by the stacks of this project; a stack overrides what it does differently. */
export const COMMON_NUMBERS: Readonly<Record<keyof StackNumbers, QuantityEntry>> = {
  chunkWeights: {
    ...{ value: '524288', kind: 'assumed', source: CHOICE, range: ['131072', '1048576'] },
    note: '1 MiB of FP16 per chunk: two packed and two decoded chunks, activations and output fit 8 MiB of TCM',
  },
  attentionKeys: { value: '512', kind: 'assumed', source: CHOICE, range: ['128', '2048'] },
  attentionRows: {
    value: '32',
    kind: 'vendor',
    source: 'arXiv:2606.13740 section 2.2',
    note: 'one matrix tile',
  },
  streamChunkBytes: {
    ...{ value: '192 KiB', kind: 'derived', source: 'nntrainer HTP ledger' },
    note: 'l2fetch lead that measured best on V79',
  },
  normOps: { value: '6', kind: 'assumed', source: CHOICE, range: ['3', '16'] },
  ropeOps: { value: '8', kind: 'assumed', source: CHOICE, range: ['4', '16'] },
  swigluOps: {
    ...{ value: '34', kind: 'derived', source: 'llama.cpp commit 1a03cf47', range: ['12', '60'] },
    note: 'one exponential (22) plus reciprocal and products',
  },
  addOps: { value: '3', kind: 'assumed', source: CHOICE, range: ['1', '6'] },
  cpuThreads: {
    ...{ value: '4', kind: 'vendor', source: 'ggml.h GGML_DEFAULT_N_THREADS', range: ['2', '8'] },
    note: 'arXiv:2606.13740 does not say how many; the Snapdragon scripts of llama.cpp use 6',
  },
  refreshThreads: {
    ...{ value: '6', kind: 'assumed', source: CHOICE, range: ['1', '8'] },
    note: 'arXiv:2606.13740 does not say; the pool of the main path, which idles while the NPU runs',
  },
  headSpeedup: {
    ...{ value: '1', kind: 'assumed', source: CHOICE, range: ['1', '5'] },
    note: 'same dot-product kernel as all CPU products; 5 would be the 600 GFLOPS of an INT4 matrix kernel on four threads (MNN gemm_speed_benchmark.md, SM8850)',
  },
  gemmSpeedup: {
    ...{ value: '1', kind: 'vendor', source: 'llama.cpp ggml-cpu (ggml_vec_dot)' },
    note: 'weights that are not repacked: one dot product for each weight row and activation row',
  },
  samplePerLogitMs: { value: '2 ns', kind: 'assumed', source: CHOICE, range: ['0.5 ns', '5 ns'] },
  cpuBarrierMs: { value: '10 us', kind: 'assumed', source: CHOICE, range: ['2 us', '50 us'] },
  maxBufferBytes: {
    ...{ value: '1 GiB', kind: 'vendor', source: 'llama.cpp Hexagon backend', range: ['128 MiB', '2 GiB'] },
    note: 'largest backend buffer by default',
  },
  kvGrowthTokens: { value: '256', kind: 'vendor', source: 'llama.cpp (KV cells padded to 256)' },
  slotBytes: {
    ...{ value: '64 MiB', kind: 'assumed', source: CHOICE, range: ['32 MiB', '256 MiB'] },
    note: 'arXiv:2606.13740 does not give the slot size',
  },
  matrixFromRows: { value: '1', kind: 'vendor', source: 'arXiv:2606.13740 Fig. 3a' },
  overlapFromRows: { value: '1', kind: 'vendor', source: 'arXiv:2606.13740 section 3.3' },
  decodeSpeed: { value: '1', kind: 'vendor', source: 'arXiv:2509.23324', note: 'tile-ordered layout' },
  vectorIpc: {
    ...{ value: '1', kind: 'assumed', source: CHOICE, range: ['0.52', '1.4'] },
    note: 'low end: 2.05 packets a cycle of all six threads (llama.cpp#18139) of 1.52 instructions (own kernels under emulation, hw/hvx)',
  },
  softmaxSpeed: { value: '1', kind: 'vendor', source: 'llama.cpp#22347' },
  rowTiles: { value: '1', kind: 'vendor', source: 'arXiv:2509.23324' },
  matrixRate: { value: '1', kind: 'vendor', source: 'arXiv:2509.23324', note: 'FP16' },
  vectorMacsPerCycle: {
    ...{
      value: '13.9',
      kind: 'measured',
      source: 'llama.cpp#17907',
      range: ['8', '18.9'],
    },
    note: '245 GFLOPS of Q4_0 products of 2 to 8 rows on 8 Gen 3, 6 threads at 1.469 GHz; high end: 333 GFLOPS with the change proposed there. The count of instructions gives 13 (108 for two rows of 1024 weights, two to a packet, 2.05 packets a cycle of all threads)',
  },
  vectorQ8MacsPerCycle: {
    ...{
      value: '16.7',
      kind: 'derived',
      source: 'llama.cpp matmul-ops.c; llama.cpp#18139',
      range: ['10', '40'],
    },
    note: 'the same count without unpacking: 84 instructions',
  },
  vectorF16MacsPerCycle: {
    ...{ value: '11.2', kind: 'derived', source: 'arXiv:2509.23324 Table 2', range: ['11.2', '32'] },
    note: '32.9 GFLOPS of one thread at 1.469 GHz; high end: 64 lanes at one product in two cycles',
  },
  vectorQuantPerCycle: {
    ...{ value: '0.42', kind: 'derived', source: 'llama.cpp#18139', range: ['0.37', '0.5'] },
    note: '64 rows of 4096 in 42-56 us on 6 threads at 2.11 GHz',
  },
  q4Layout: { value: '1', kind: 'derived', source: 'GGUF Q4_0: 18 B for 32 weights' },
  q8Layout: { value: '1', kind: 'derived', source: 'GGUF Q8_0: 34 B for 32 weights' },
  opStartMs: { value: '0 us', kind: 'derived', source: 'part of the remote call' },
  batchOps: { value: '1', kind: 'vendor', source: 'arXiv:2606.13740 section 4' },
  prefillRows: { value: '512', kind: 'vendor', source: 'llama.cpp (n_ubatch)' },
};
