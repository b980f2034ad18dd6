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
  for (let next = 0; next < order.length; next++) {
    const { tensor, bytes: wanted, first, last } = order[next];
    const size = Math.ceil(wanted / ALIGNMENT) * ALIGNMENT;
    const offset = lowestFree(alive, first, last, size);
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

/** The lowest offset at which nothing that is alive meanwhile is in the way. */
function lowestFree(
  alive: readonly (readonly Placed[] | undefined)[],
  first: number,
  last: number,
  size: number,
): number {
  const rivals = new Set(alive.slice(first, last + 1).flatMap((there) => there ?? []));
  let offset = 0;
  for (const rival of [...rivals].sort((a, b) => a.offset - b.offset)) {
    if (rival.offset >= offset + size) break;
    offset = Math.max(offset, rival.end);
  }
  return offset;
}
