import type { DType, Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { SoftwareStack, StackNumbers } from '../stacks/stack.js';
import { bytesOf, tensorOf } from './lower-common.js';
import { reachedExperts } from './lower-matmul.js';

/** Rows from which a kernel that decodes weights once for several rows gains: i8mm kernels of KleidiAI take four. */
const GEMM_ROWS = 4;

/** Work of an operator on CPU cores. */
export interface CpuWork {
  /** Time on one mid core when memory never waits. */
  readonly singleThreadMs: number;
  /** DRAM traffic. */
  readonly bytes: number;
}

/** Bytes per weight in the kernels that were measured: Q4_0 and Q8_0 blocks of 32 with an f16 scale. */
const Q4_BYTES = 18 / 32;
const Q8_BYTES = 34 / 32;
const PLAIN_BYTES: Readonly<Record<DType, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  i32: 4,
  q8_0: Q8_BYTES,
  q4_0: Q4_BYTES,
};

/**
 * Dot-product throughput of one mid core in multiply-accumulates per ms.
 *
 * A llama.cpp product without repacked weights is one dot product per (weight row, activation row): each
 * activation row decodes the weights again, so a matrix product runs at the multiply rate of the matrix-vector
 * product. The 4-bit rate was measured below the 8-bit one, hence bound by arithmetic and usable as such.
 * Formats wider than 8 bits are bound by the measured 8-bit byte rate.
 */
export function dotMacsPerMs(profile: HardwareProfile, dtype: DType): number {
  const { cpu } = profile;
  const rate = dtype === 'q4_0' ? cpu.gemvQ4Rate : cpu.gemvQ8Rate;
  return ((rate * 1e6) / PLAIN_BYTES[dtype] / cpu.gemvCores) * cpu.midCoreShare;
}

/** Elements one mid core handles per ms in element-wise loops: one byte stream at its share of the byte rate. */
function elementBytesPerMs(profile: HardwareProfile): number {
  const { cpu } = profile;
  return ((cpu.gemvQ8Rate * 1e6) / cpu.gemvCores) * cpu.midCoreShare;
}

/** @see dotMacsPerMs for matrix work; other operators move their operands once. */
export function cpuWork(
  op: Op,
  graph: OpGraph,
  profile: HardwareProfile,
  { headSpeedup, gemmSpeedup }: Pick<StackNumbers, 'headSpeedup' | 'gemmSpeedup'>,
): CpuWork {
  const moved = operandBytes(op, graph);
  switch (op.kind) {
    case 'matmul': {
      const dtype = tensorOf(graph, op.weights[0]).dtype;
      const speedup = (op.role === 'head' ? headSpeedup : 1) * (op.rows >= GEMM_ROWS ? gemmSpeedup : 1);
      return { singleThreadMs: op.macs / dotMacsPerMs(profile, dtype) / speedup, bytes: moved };
    }
    case 'moe': {
      const dtype = tensorOf(graph, op.weights[0]).dtype;
      return { singleThreadMs: op.macs / dotMacsPerMs(profile, dtype), bytes: moved };
    }
    case 'attention':
      return { singleThreadMs: op.macs / dotMacsPerMs(profile, graph.precision.kv), bytes: moved };
    case 'state-mix': {
      const bytes = moved + 2 * op.stateBytes;
      const macsMs = op.macs / dotMacsPerMs(profile, 'f32');
      return { singleThreadMs: Math.max(macsMs, bytes / elementBytesPerMs(profile)), bytes };
    }
    default:
      return { singleThreadMs: moved / elementBytesPerMs(profile), bytes: moved };
  }
}

function operandBytes(op: Op, graph: OpGraph): number {
  const activations = bytesOf(graph, op.inputs) + bytesOf(graph, op.outputs);
  if (op.kind === 'embed') return 2 * bytesOf(graph, op.outputs);
  if (op.kind === 'gather-rows') return 2 * bytesOf(graph, op.outputs);
  const weights = bytesOf(graph, op.weights);
  if (op.kind === 'moe') return activations + weights * (reachedExperts(op) / op.experts);
  return activations + weights;
}

/**
 * Mid cores that do as much as `threads` threads: with equal parts the slowest core decides, and the fastest cores are
 * taken first only where work is divided by speed.
 */
export function effectiveThreads(
  profile: HardwareProfile,
  threads: number,
  shares: SoftwareStack['threadShares'],
): number {
  if (shares !== 'by-speed') return threads;
  const { primeCores, midCoreShare } = profile.cpu;
  const primes = Math.min(threads, primeCores);
  return primes / midCoreShare + threads - primes;
}

/**
 * Time of CPU work on `threads` threads with equal shares: the slowest thread (a mid core) decides, and so does
 * memory when it is slower.
 */
export function cpuMs(work: CpuWork, threads: number, bytesPerMs: number): number {
  const memoryMs =
    work.bytes === 0 ? 0 : bytesPerMs === 0 ? Number.POSITIVE_INFINITY : work.bytes / bytesPerMs;
  return Math.max(work.singleThreadMs / threads, memoryMs);
}
