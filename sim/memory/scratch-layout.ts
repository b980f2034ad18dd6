import type { LiveRange } from './lifetimes.js';

export interface ScratchLayout {
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
}

/** Activations start on a multiple of this, one matrix-tile row of FP16. */
const ALIGNMENT = 128;

interface Placed {
  readonly offset: number;
  readonly end: number;
}

/**
 * Compact layout of short-lived tensors: tensors whose live ranges do not overlap may share addresses. Greedy by
 * size, each at the lowest offset that is free during its life.
 */
export function layoutScratch(ranges: readonly LiveRange[]): ScratchLayout {
  const order = [...ranges].sort(
    (a, b) => b.bytes - a.bytes || a.first - b.first || (a.tensor < b.tensor ? -1 : 1),
  );
  const offsets = new Map<string, number>();
  /** Per operator: what is placed and alive there. Most tensors live for a few operators only. */
  const alive: Placed[][] = [];
  let bytes = 0;
  for (const { tensor, bytes: wanted, first, last } of order) {
    const size = Math.ceil(wanted / ALIGNMENT) * ALIGNMENT;
    const rivals = new Set<Placed>();
    for (let at = first; at <= last; at++) for (const rival of alive[at] ?? []) rivals.add(rival);
    let offset = 0;
    for (const rival of [...rivals].sort((a, b) => a.offset - b.offset)) {
      if (offset + size <= rival.offset) break;
      offset = Math.max(offset, rival.end);
    }
    const placed = { offset, end: offset + size };
    for (let at = first; at <= last; at++) {
      const there = alive[at];
      if (there === undefined) alive[at] = [placed];
      else there.push(placed);
    }
    offsets.set(tensor, offset);
    bytes = Math.max(bytes, placed.end);
  }
  return { offsets, bytes };
}
