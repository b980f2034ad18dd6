import type { HardwareProfile } from '../hardware/schema.js';

/** Share of DRAM that staging copies get at least, however fast the NPU streams. */
const STAGING_FLOOR = 0.1;

/** Rates in units per ms, after sharing DRAM. */
export interface Rates {
  readonly matrixMacsPerMs: number;
  readonly decodeWeightsPerMs: number;
  readonly convertElementsPerMs: number;
  /** Vector instructions (one register each) of all threads. */
  readonly vectorOpsPerMs: number;
  readonly dmaBytesPerMs: number;
  readonly dmaBesideMatrixBytesPerMs: number;
  readonly directBytesPerMs: number;
  readonly dramBytesPerMs: number;
  /** Main-path CPU operators. */
  readonly cpuBytesPerMs: number;
  /** CPU work beside a streaming NPU. */
  readonly cpuBesideNpuBytesPerMs: number;
  /** CPU work beside main-path CPU operators: what they leave. */
  readonly cpuBesideCpuBytesPerMs: number;
  /** Payload of staging copies; each byte is read and written. */
  readonly copyBytesPerMs: number;
}

/** GB/s to bytes per ms. */
const perMs = (gbps: number): number => gbps * 1e6;

/**
 * Rates of a machine. DRAM goes first to the NPU, then to main-path CPU work, then to work beside it: under
 * load the NPU was seen to lose only 1-1.6 % (SERENO, OSDI'26), which is neglected here.
 * @param staging whether copies into the NPU's window run beside everything else
 */
export function ratesOf(profile: HardwareProfile, staging: boolean): Rates {
  const { npu, dram, cpu } = profile;
  const total = dram.achievableRate;
  const cyclesPerMs = npu.clock * 1e6;
  const dma = Math.min(npu.dmaRate, total);
  const left = Math.max(total - dma, total * STAGING_FLOOR);
  const copy = staging ? Math.min(cpu.sharedCopyRate, cpu.readRateBesideNpu / 2, left / 2) : 0;
  const npuShare = total - 2 * copy;
  const main = Math.min(cpu.readRate, npuShare);
  const dmaShare = Math.min(dma, npuShare);
  return {
    matrixMacsPerMs: npu.matrixMacsPerCycle * cyclesPerMs,
    decodeWeightsPerMs: npu.dequantWeightsPerCycle * npu.vectorThreads * cyclesPerMs,
    convertElementsPerMs: npu.convertElementsPerCycle * npu.vectorThreads * cyclesPerMs,
    vectorOpsPerMs: npu.vectorThreads * cyclesPerMs,
    dmaBytesPerMs: perMs(dmaShare),
    dmaBesideMatrixBytesPerMs: perMs(Math.min(npu.dmaRateBesideMatrix, dmaShare)),
    directBytesPerMs: perMs(Math.min(npu.directReadRate, npuShare)),
    dramBytesPerMs: perMs(total),
    cpuBytesPerMs: perMs(main),
    cpuBesideNpuBytesPerMs: perMs(Math.max(0, Math.min(cpu.readRateBesideNpu, npuShare - dmaShare))),
    cpuBesideCpuBytesPerMs: perMs(Math.max(0, npuShare - main)),
    copyBytesPerMs: perMs(staging ? copy : Math.min(cpu.sharedCopyRate, total / 2)),
  };
}
