import type { LiveRange } from './lifetimes.js';

export interface ScratchLayout {
  readonly offsets: ReadonlyMap<string, number>;
  readonly bytes: number;
}

/** Activations start on a multiple of this, one matrix-tile row of FP16. */
const ALIGNMENT = 128;

/**
 * Compact layout of short-lived tensors: tensors whose live ranges do not overlap may share addresses. Greedy by
 * size, each at the lowest offset that is free during its life.
 */
export function layoutScratch(ranges: readonly LiveRange[]): ScratchLayout {
  const order = [...ranges].sort(
    (a, b) => b.bytes - a.bytes || a.first - b.first || (a.tensor < b.tensor ? -1 : 1),
  );
  const placed: { range: LiveRange; offset: number; end: number }[] = [];
  const offsets = new Map<string, number>();
  let bytes = 0;
  for (const range of order) {
    const size = Math.ceil(range.bytes / ALIGNMENT) * ALIGNMENT;
    const rivals = placed.filter(
      (other) => other.range.first <= range.last && range.first <= other.range.last,
    );
    rivals.sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const rival of rivals) {
      if (offset + size <= rival.offset) break;
      offset = Math.max(offset, rival.end);
    }
    placed.push({ range, offset, end: offset + size });
    offsets.set(range.tensor, offset);
    bytes = Math.max(bytes, offset + size);
  }
  return { offsets, bytes };
}
