import type { HardwareProfile } from '../hardware/schema.js';
import type { SoftwareStack } from '../stacks/stack.js';

/** A copy reads and writes each byte; it never takes more than this share of DRAM. */
const COPY_LIMIT = 0.9;

/** Rates in units per ms, after sharing DRAM. */
export interface Rates {
  readonly matrixMacsPerMs: number;
  readonly decodeWeightsPerMs: number;
  readonly convertElementsPerMs: number;
  /** Vector instructions (one register each) of all threads. */
  readonly vectorOpsPerMs: number;
  readonly dmaBytesPerMs: number;
  readonly dmaBesideMatrixBytesPerMs: number;
  /** A DMA queue of each vector thread, together; the matrix unit idles. */
  readonly queuesBytesPerMs: number;
  readonly directBytesPerMs: number;
  readonly dramBytesPerMs: number;
  /** What staging copies leave of it: all that the agents of the NPU move together, whatever each could alone. */
  readonly npuDramBytesPerMs: number;
  /** Main-path CPU operators. */
  readonly cpuBytesPerMs: number;
  /** CPU work beside a streaming NPU. */
  readonly cpuBesideNpuBytesPerMs: number;
  /** CPU work beside main-path CPU operators: what they leave. */
  readonly cpuBesideCpuBytesPerMs: number;
  /** Payload of staging copies; each byte is read and written. */
  readonly copyBytesPerMs: number;
}

/** Numbers of a profile that are the DMA rates of a weight stream, matrix unit idle and at work. */
export const STREAM_RATES = {
  queue: ['dmaRate', 'dmaRateBesideMatrix'],
  bypass: ['dmaBypassRate', 'dmaBypassRateBesideMatrix'],
  bulk: ['dmaBulkRate', 'dmaBulkRateBesideMatrix'],
} as const satisfies Readonly<
  Record<SoftwareStack['weightStream'], readonly [keyof HardwareProfile['npu'], keyof HardwareProfile['npu']]>
>;

/** GB/s to bytes per ms. */
const perMs = (gbps: number): number => gbps * 1e6;

/**
 * Rates of a machine. DRAM goes first to staging copies, which get what was measured for a CPU beside a streaming
 * NPU, then to the NPU, then to main-path CPU work, then to work beside it: under load the NPU was seen to lose
 * only 1-1.6 % (SERENO, OSDI'26), which is neglected here.
 * @param copying whether a staging copy runs beside everything else
 * @param stream how the stack feeds DMA
 */
export function ratesOf(
  profile: HardwareProfile,
  copying: boolean,
  stream: SoftwareStack['weightStream'] = 'queue',
): Rates {
  const { npu, dram, cpu } = profile;
  const total = dram.achievableRate;
  const copy = Math.min(cpu.sharedCopyRate, cpu.readRateBesideNpu / 2, (total * COPY_LIMIT) / 2);
  const left = copying ? total - 2 * copy : total;
  const main = Math.min(cpu.readRate, left);
  const [alone, besideMatrix] = STREAM_RATES[stream];
  const dma = Math.min(npu[alone], left);
  const cyclesPerMs = npu.clock * 1e6;
  return {
    matrixMacsPerMs: npu.matrixMacsPerCycle * cyclesPerMs,
    decodeWeightsPerMs: npu.dequantWeightsPerCycle * npu.vectorThreads * cyclesPerMs,
    convertElementsPerMs: npu.convertElementsPerCycle * npu.vectorThreads * cyclesPerMs,
    vectorOpsPerMs: npu.vectorThreads * cyclesPerMs,
    dmaBytesPerMs: perMs(dma),
    dmaBesideMatrixBytesPerMs: perMs(Math.min(npu[besideMatrix], dma)),
    queuesBytesPerMs: perMs(Math.min(npu.dmaQueuesRate, left)),
    directBytesPerMs: perMs(Math.min(npu.directReadRate, left)),
    dramBytesPerMs: perMs(total),
    npuDramBytesPerMs: perMs(left),
    cpuBytesPerMs: perMs(main),
    cpuBesideNpuBytesPerMs: perMs(Math.max(0, Math.min(cpu.readRateBesideNpu, left - dma))),
    cpuBesideCpuBytesPerMs: perMs(Math.max(0, left - main)),
    copyBytesPerMs: perMs(copy),
  };
}
