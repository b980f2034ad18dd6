import type { Op } from '../../src/model/graph.js';

/** How weights that exceed the address window are brought in. */
export const MEMORY_MODES = ['on-demand', 'paging', 'somr', 'unlimited'] as const;
/** Name of a mode. */
export type MemoryMode = (typeof MEMORY_MODES)[number];

/** A pass as a memory runtime sees it. */
export interface PlacedPass {
  readonly rows: number;
  /** Rows of the pass and positions cached before it. */
  readonly positions: number;
  /** Operators on the NPU, in order, with the weights they read. */
  readonly ops: readonly Pick<Op, 'weights'>[];
  /** Bytes of a compact layout of its activations. */
  scratchBytes(): number;
}

/** What happened before an operator could be dispatched. */
export interface Readiness {
  /** Operands are mapped (and staged data is in place) from here on. */
  readonly readyMs: number;
  /** Driver time on the critical path. */
  readonly mapMs: number;
  readonly mapOps: number;
  readonly mappedBytes: number;
  /** Time the NPU waited for a staging copy. */
  readonly stallMs: number;
}

/** Use of a staging slot: written by a host copy beside the NPU, or read by the NPU. */
export interface SlotUse {
  readonly slot: number;
  readonly access: 'write' | 'read';
  readonly bytes: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A buffer in the address window. */
export interface MappedRange {
  readonly id: string;
  readonly address: number;
  readonly bytes: number;
}

/** Weights that share one fill of a staging slot. */
export interface StagedBatch {
  readonly bytes: number;
  readonly tensors: readonly string[];
}

/** Where everything is now. */
export interface MemoryMap {
  /** Ranges in the window, by address. */
  readonly mapped: readonly MappedRange[];
  /** Copied into a slot in every pass, in order. */
  readonly staged: readonly StagedBatch[];
  /** Weights that are in no mapping now and come in whole when an operator needs them. */
  readonly absent: readonly { readonly id: string; readonly bytes: number }[];
  /** Longest free range. */
  readonly largestFreeBytes: number;
  /** Share of the free space that is outside the longest free range, 0 to 1. */
  readonly fragmentation: number;
}

/**
 * Decides what is visible to the NPU and when. State lives across steps: what is mapped stays mapped.
 * Calls come in order: `beginPass`, then for each NPU operator `before` and `after`, then `endPass`.
 */
export interface MemoryRuntime {
  readonly mode: MemoryMode;
  /** Makes room for the pass's KV cache and activations. Returns what that took. */
  beginPass(pass: PlacedPass, nowMs: number): Readiness;
  /** @param index position in the `ops` of the pass */
  before(index: number, nowMs: number): Readiness;
  after(index: number, nowMs: number): void;
  /** Staging copies that run or wait at `nowMs`, in order. */
  copies(nowMs: number): readonly { readonly startMs: number; readonly endMs: number }[];
  /** Slot uses that began since the last call: staging copies and the reads they were made for. */
  endPass(nowMs: number): readonly SlotUse[];
  /** Bytes mapped now; 0 for the unlimited window, which is not tracked. */
  readonly windowBytes: number;
  /** Address of a weight the NPU can reach now, or null. */
  addressOf(tensor: string): number | null;
  /** Null for the unlimited window, which is not tracked. */
  map(): MemoryMap | null;
  reset(): void;
}

export const READY = (nowMs: number): Readiness => ({
  readyMs: nowMs,
  mapMs: 0,
  mapOps: 0,
  mappedBytes: 0,
  stallMs: 0,
});

/** An address window without limit: everything was mapped before the decode began. */
export class UnlimitedMemory implements MemoryRuntime {
  readonly mode = 'unlimited';
  readonly windowBytes = 0;

  beginPass(_pass: PlacedPass, nowMs: number): Readiness {
    return READY(nowMs);
  }

  before(_index: number, nowMs: number): Readiness {
    return READY(nowMs);
  }

  after(): void {}

  copies(): readonly SlotUse[] {
    return [];
  }

  endPass(): readonly SlotUse[] {
    return [];
  }

  addressOf(): number {
    return 0;
  }

  map(): null {
    return null;
  }

  reset(): void {}
}
