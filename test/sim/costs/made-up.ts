import { loadProfile } from '../../../sim/hardware/load-profile.js';
import type { HardwareProfile } from '../../../sim/hardware/schema.js';
import type { Kernel, LowerContext } from '../../../sim/machine/kernel.js';
import { ratesOf } from '../../../sim/machine/rates.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import type { SoftwareStack } from '../../../sim/stacks/stack.js';

/**
 * A chip and stacks that nobody sells, for tables of costs: every number is another one and none is 1 or a power of two, so that
 * no two mistakes cancel, and a shipped profile that gets better changes no table.
 */
export function madeUpChip(
  npu: Partial<HardwareProfile['npu']> = {},
  window: Partial<HardwareProfile['window']> = {},
): HardwareProfile {
  return {
    ...loadProfile('sm8750'),
    name: 'made-up',
    npuArch: 'v79',
    npu: {
      clock: 1.7,
      vectorThreads: 5,
      vectorLanes: 64,
      matrixMacsPerCycle: 3000,
      matrixTile: 32,
      dequantWeightsPerCycle: 7.3,
      convertElementsPerCycle: 11.9,
      exponentialOps: 23,
      exponentialShareOfAttention: 0.37,
      tcm: 768 * 1024,
      dmaRate: 29,
      dmaBulkRate: 53,
      dmaRateBesideMatrix: 13,
      dmaBulkRateBesideMatrix: 47,
      dmaBypassRate: 51,
      dmaBypassRateBesideMatrix: 41,
      dmaQueuesRate: 43,
      dmaLatency: 0.0013,
      dmaMaxTransfer: 10_007,
      directReadRate: 19,
      ...npu,
    },
    dram: { peakRate: 83, achievableRate: 71 },
    cpu: {
      primeCores: 2,
      midCores: 5,
      gemvQ4Rate: 37,
      gemvQ8Rate: 59,
      gemvCores: 3,
      midCoreShare: 0.45,
      readRate: 61,
      readRateBesideNpu: 31,
      sharedCopyRate: 1.3,
    },
    gpu: { readRate: 49, macsPerNs: 770, kernelLaunch: 0.021, finish: 0.37 },
    driver: {
      remoteCall: 0.0083,
      queueBatch: 0.0027,
      cacheMaintenance: 0.043,
      mapFixed: 0.013,
      mapPerByte: 0.031,
    },
    window: { bytes: 3_000_000, alignment: 4096, mapperEntries: 60, maxMap: 900_000, ...window },
  };
}

const NUMBERS: SoftwareStack['numbers'] = {
  chunkWeights: 9000,
  attentionKeys: 100,
  attentionRows: 70,
  streamChunkBytes: 7001,
  normOps: 6.1,
  ropeOps: 8.3,
  swigluOps: 33,
  addOps: 3.7,
  cpuThreads: 3,
  refreshThreads: 4,
  headSpeedup: 1.9,
  gemmSpeedup: 2.3,
  rowsSpeedup: 1.7,
  cpuSustained: 0.83,
  samplePerLogitMs: 0.000_003,
  cpuBarrierMs: 0.0011,
  passHostMs: 0.019,
  splitMs: 0.0041,
  cpuWakeMs: 0.029,
  maxBufferBytes: 500_000,
  kvGrowthTokens: 48,
  slotBytes: 90_000,
  matrixFromRows: 3,
  overlapFromRows: 34,
  decodeSpeed: 1.3,
  vectorIpc: 0.7,
  loneIpc: 1.1,
  forkMs: 0.004,
  attentionFromRows: 6,
  dmaRowBytes: 300,
  softmaxSpeed: 1.6,
  rowTiles: 1,
  matrixRate: 0.9,
  vectorMacsPerCycle: 13.1,
  vectorQ8MacsPerCycle: 17.3,
  vectorF16MacsPerCycle: 10.7,
  vectorQuantPerCycle: 0.43,
  q4Layout: 1.12,
  q8Layout: 1.07,
  opStartMs: 0.000_23,
  batchOps: 5,
  prefillRows: 96,
};

/** Changes of a stack: choices, and numbers. */
export type StackChanges = Partial<Omit<SoftwareStack, 'numbers'>> & {
  readonly numbers?: Partial<SoftwareStack['numbers']>;
};

export function madeUpStack({ numbers, ...choices }: StackChanges = {}): SoftwareStack {
  return { ...stackByName('llada.cpp'), name: 'made-up', ...choices, numbers: { ...NUMBERS, ...numbers } };
}

/** Stacks that differ in what lowering looks at. */
export const STACKS: Readonly<Record<string, StackChanges>> = {
  staged: {},
  reusing: {
    weightReuse: 'all-tiles',
    productActivations: 'queues',
    elementwise: 'queues',
    weightStream: 'bypass',
    activations: 'f32',
    extraOperators: { normGain: true, kvWrites: true },
  },
  direct: {
    weightReuse: 'all-tiles',
    productActivations: 'direct',
    vectorWeights: 'direct',
    weightDecode: 'none',
    kvElementBytes: 1,
    numbers: { rowTiles: 2, matrixFromRows: 7 },
  },
  compiled: {
    weightReuse: 'all-tiles',
    weightDecode: 'none',
    activationsIn: 'tcm',
    weightStream: 'bulk',
    kvElementBytes: 1,
    kvCache: 'shared',
  },
  hexagon: {
    kernelLoops: 'htp',
    productActivations: 'queues',
    elementwise: 'queues',
    weightStream: 'bypass',
    activations: 'f32',
    extraOperators: { normGain: true, kvWrites: true },
  },
  'hexagon with tails': {
    kernelLoops: 'htp',
    productTail: 'vector',
    productActivations: 'dma',
    activations: 'f16',
    numbers: { rowTiles: 2, overlapFromRows: 1 },
  },
};

export function contextOf(
  changes: StackChanges = {},
  npu: Partial<HardwareProfile['npu']> = {},
): LowerContext {
  const profile = madeUpChip(npu);
  const stack = madeUpStack(changes);
  return { profile, stack, rates: ratesOf(profile, false, stack.weightStream) };
}

/** What `of` gives, or the message of its error. */
export function orRefused<T>(of: () => T): T | string {
  try {
    return of();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * The cuts that a kernel goes through as TCM shrinks: each exactly fills its memory, and a byte less makes it another one.
 * @returns of each its fields that a cut decides, and at last the refusal
 */
export function cutsOf(of: (tcm: number) => Kernel, tcm: number, most = 7): unknown[] {
  const cuts: unknown[] = [];
  let room = tcm;
  while (cuts.length < most) {
    const kernel = orRefused(() => of(room));
    if (typeof kernel === 'string') return [...cuts, kernel];
    const { tcmPeakBytes, dmaBytes, pipelines } = kernel;
    cuts.push([
      tcmPeakBytes,
      dmaBytes,
      ...pipelines.map(({ tiles, fullChunks, chunk }) => `${tiles}x${fullChunks}x${chunk.loadBytes}`),
    ]);
    // Where it has what it wants, it must not want more when it has exactly that.
    const exactly = orRefused(() => of(tcmPeakBytes));
    if (typeof exactly === 'string' || exactly.tcmPeakBytes !== tcmPeakBytes)
      cuts.push('not at its own peak');
    if (tcmPeakBytes > room) return [...cuts, 'more than there is'];
    room = tcmPeakBytes - 1;
  }
  return cuts;
}

/** Whole numbers that look drawn and are always the same. */
export function drawer(seed: number): (least: number, most: number) => number {
  let state = Math.imul(seed + 1, 2_654_435_761);
  return (least, most) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return least + Math.floor((state / 2 ** 32) * (most - least + 1));
  };
}
