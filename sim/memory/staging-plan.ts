import { placeGlobal } from './placement.js';
import { packBytes } from './units.js';

/** What limits staging. */
export interface StagingLimits {
  readonly alignment: number;
  /** Largest resident mapping. */
  readonly bufferLimit: number;
  /** Wanted size of a slot. */
  readonly slotBytes: number;
}

export interface StagingRoom {
  readonly slotBytes: number;
  /** Bytes of residents beside two slots; negative when not even the slots fit. */
  readonly budgetBytes: number;
}

/**
 * Room for residents when weights exceed the window.
 * @param unitBytes weights in order of use
 * @param freeBytes of the window beside KV cache and activations
 * @returns null when everything fits and nothing is staged
 */
export function stagingRoom(
  unitBytes: readonly number[],
  freeBytes: number,
  { alignment, bufferLimit, slotBytes: wanted }: StagingLimits,
): StagingRoom | null {
  const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  let mapped = 0;
  for (const buffer of packBytes(unitBytes, bufferLimit).sizes) mapped += align(buffer);
  if (mapped <= freeBytes) return null;
  let total = 0;
  let largest = 0;
  for (const bytes of unitBytes) {
    total += bytes;
    largest = Math.max(largest, bytes);
  }
  const slotBytes = align(Math.max(largest, Math.min(wanted, freeBytes / 8)));
  // Each resident buffer may waste up to one alignment unit.
  const waste = alignment * (Math.ceil(total / bufferLimit) + 1);
  return { slotBytes, budgetBytes: freeBytes - 2 * slotBytes - waste };
}

/** Staged units that share one fill of a slot. */
export interface StagingBatch {
  readonly units: readonly number[];
  readonly bytes: number;
}

/** Staged units in order of use, as many together as fit a slot. */
export function batchesOf(
  staged: readonly number[],
  unitBytes: readonly number[],
  slotBytes: number,
): StagingBatch[] {
  const batches: { units: number[]; bytes: number }[] = [];
  for (const unit of staged) {
    const bytes = unitBytes[unit];
    const open = batches.at(-1);
    if (open === undefined || open.bytes + bytes > slotBytes) batches.push({ units: [unit], bytes });
    else {
      open.units.push(unit);
      open.bytes += bytes;
    }
  }
  return batches;
}

/** The batches of the global reading. */
export function globalBatches(unitBytes: readonly number[], room: StagingRoom): StagingBatch[] {
  return batchesOf(placeGlobal(unitBytes, room.budgetBytes), unitBytes, room.slotBytes);
}
