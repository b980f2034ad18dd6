import { blockOf } from '../../src/model/dtype.js';
import type { DType, Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { bytesOf } from './lower/tensors.js';

/** Work of an operator on CPU cores. */
export interface CpuWork {
  /** Time on one mid core when memory never waits. */
  readonly singleThreadMs: number;
  /** DRAM traffic. */
  readonly bytes: number;
}

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
  const block = blockOf(dtype);
  const rate = dtype === 'q4_0' ? cpu.gemvQ4Rate : cpu.gemvQ8Rate;
  return ((rate * 1e6) / (block.bytes / block.elements) / cpu.gemvCores) * cpu.midCoreShare;
}

/** Elements one mid core handles per ms in element-wise loops: one byte stream at its share of the byte rate. */
export function elementBytesPerMs(profile: HardwareProfile): number {
  const { cpu } = profile;
  return ((cpu.gemvQ8Rate * 1e6) / cpu.gemvCores) * cpu.midCoreShare;
}

/**
 * Matrix work: its products at the rate of dot products, its operands moved once.
 * @param dtype format of what the activations meet
 */
export function cpuDotProducts(op: Op, graph: OpGraph, profile: HardwareProfile, dtype: DType): CpuWork {
  return { singleThreadMs: op.macs / dotMacsPerMs(profile, dtype), bytes: operandBytes(op, graph) };
}

/** Element-wise work: bound by the bytes it moves. */
export function cpuStream(
  op: Op,
  graph: OpGraph,
  profile: HardwareProfile,
  bytes = operandBytes(op, graph),
): CpuWork {
  return { singleThreadMs: bytes / elementBytesPerMs(profile), bytes };
}

/** Every operand once. */
export function operandBytes(op: Op, graph: OpGraph): number {
  const activations = bytesOf(graph, op.inputs) + bytesOf(graph, op.outputs);
  return activations + bytesOf(graph, op.weights);
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
  // Without a share of memory, work that needs none goes on, and any other takes for ever.
  const memoryMs = work.bytes === 0 ? 0 : work.bytes / bytesPerMs;
  return Math.max(work.singleThreadMs / threads, memoryMs);
}
