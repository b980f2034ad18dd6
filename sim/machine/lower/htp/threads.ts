import type { LowerContext } from '../../kernel.js';

/** Elements of a register of F32, in which the backend's element-wise kernels compute. */
export const F32_LANES = 32;

/**
 * Vector instructions that each of `threads` working threads ends per cycle. All threads together end no more than was
 * profiled for a kernel that keeps all of them busy (`vectorIpc` of every thread), and one alone no more than `loneIpc`.
 */
export function instructionsPerCycle(threads: number, { profile, stack }: LowerContext): number {
  const together = stack.numbers.vectorIpc * profile.npu.vectorThreads;
  return Math.min(stack.numbers.loneIpc, together / threads);
}

/**
 * Time in ms of a phase that `threads` threads share.
 * @param instructions of the thread that has most
 */
export function phaseMs(instructions: number, threads: number, context: LowerContext): number {
  const cyclesPerMs = context.rates.vectorOpsPerMs / context.profile.npu.vectorThreads;
  return instructions / (instructionsPerCycle(threads, context) * cyclesPerMs);
}

/** Threads among which `parts` equal parts are split, and the parts of the one that has most. */
export function split(
  parts: number,
  { profile }: Pick<LowerContext, 'profile'>,
): { threads: number; most: number } {
  const threads = Math.min(profile.npu.vectorThreads, parts);
  return { threads, most: Math.ceil(parts / threads) };
}

/**
 * Time in ms of bytes that `threads` threads fetch or store by a DMA queue each, latency not included.
 * @param rowBytes of a piece, where pieces lie apart in DRAM: a short one costs as much as `dmaRowBytes`
 */
export function queuesMs(
  bytes: number,
  threads: number,
  { rates, stack }: LowerContext,
  rowBytes = Number.POSITIVE_INFINITY,
): number {
  const rate = Math.min(rates.queuesBytesPerMs, threads * rates.dmaBytesPerMs);
  return (bytes * Math.max(1, stack.numbers.dmaRowBytes / rowBytes)) / rate;
}

/** Starting and joining threads for `parts` pieces of work, in ms; a single piece is done by the thread that asks. */
export function forkMs(parts: number, { stack }: Pick<LowerContext, 'stack'>): number {
  return parts > 1 ? stack.numbers.forkMs : 0;
}
