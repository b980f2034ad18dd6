import { UsageError } from '../../src/errors.js';

/** A buffer an operator holds in TCM while it runs. */
export interface TcmBuffer {
  readonly name: string;
  readonly bytes: number;
  /** 2 for double buffering. */
  readonly copies: number;
}

/** TCM allocations are aligned to a vector register. */
const ALIGNMENT = 128;

/** Bytes a set of buffers takes. */
export function tcmBytes(buffers: readonly TcmBuffer[]): number {
  return buffers.reduce(
    (sum, { bytes, copies }) => sum + copies * Math.ceil(bytes / ALIGNMENT) * ALIGNMENT,
    0,
  );
}

/**
 * Places an operator's buffers in TCM, first to last, each copy at its own offset.
 * @throws UsageError naming the first buffer that does not fit and by how much
 */
export function allocateTcm(
  capacityBytes: number,
  buffers: readonly TcmBuffer[],
  owner: string,
): { offsets: ReadonlyMap<string, readonly number[]>; peakBytes: number } {
  const offsets = new Map<string, number[]>();
  let next = 0;
  for (const { name, bytes, copies } of buffers) {
    const places: number[] = [];
    for (let copy = 0; copy < copies; copy++) {
      places.push(next);
      next += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    }
    if (next > capacityBytes) {
      throw new UsageError(
        `${owner}: ${name} does not fit the on-chip memory (${capacityBytes} B), ${next - capacityBytes} B too much`,
      );
    }
    offsets.set(name, places);
  }
  return { offsets, peakBytes: next };
}
