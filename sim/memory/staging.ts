import { copyMs, type MemoryCosts } from './regions.js';
import type { SlotUse } from './runtime.js';
import type { StagingBatch } from './staging-plan.js';

interface Fill {
  readonly batch: number;
  readonly slot: number;
  readonly startMs: number;
  readonly endMs: number;
  firstReadMs: number | null;
}

const SLOTS = 2;

/**
 * Two staging slots in turn (arXiv:2606.13740 section 3.4): while the NPU reads one, the host fills the other
 * with the next batch; the roles swap when the last operator of a batch ends. Batches repeat in the same order
 * pass after pass, so the fills for the next pass start while this one still runs.
 */
export class StagingPipeline {
  private readonly fills: Fill[] = [];
  /** Fills that were released; the next to be consumed has this number. */
  private released = 0;
  private copyFreeMs = 0;
  private readonly uses: SlotUse[] = [];

  constructor(
    private readonly batches: readonly StagingBatch[],
    private readonly costs: MemoryCosts,
  ) {
    if (batches.length > 0) for (let slot = 0; slot < SLOTS; slot++) this.fill(0, true);
  }

  /** Batch of the fill the NPU consumes next. */
  get current(): number {
    return this.batches.length === 0 ? -1 : this.released % this.batches.length;
  }

  /** Copies that are not over at `nowMs`, in order. */
  pending(nowMs: number): readonly { startMs: number; endMs: number }[] {
    const pending: Fill[] = [];
    for (let at = this.fills.length - 1; at >= 0; at--) {
      const fill = this.fills[at];
      if (fill === undefined || fill.endMs <= nowMs) break;
      pending.unshift(fill);
    }
    return pending;
  }

  /** Slot that holds a batch once its copy has ended, or null. */
  slotOf(batch: number, nowMs: number): number | null {
    const fill = this.fills.slice(this.released).find((candidate) => candidate.batch === batch);
    return fill !== undefined && fill.endMs <= nowMs ? fill.slot : null;
  }

  /** When the data of a batch is in place; the batch must be the current one. */
  read(batch: number, nowMs: number): number {
    const fill = this.fills[this.released];
    if (fill === undefined || fill.batch !== batch)
      throw new Error(`staging expected batch ${this.current}, got ${batch}`);
    const readyMs = Math.max(nowMs, fill.endMs);
    fill.firstReadMs ??= readyMs;
    return readyMs;
  }

  /** The NPU is done with the current batch: its slot is filled with the batch after the next. */
  release(nowMs: number): void {
    const fill = this.fills[this.released];
    if (fill === undefined) throw new Error('nothing is staged');
    const endMs = Math.max(nowMs, fill.endMs);
    if (fill.firstReadMs !== null) {
      const bytes = this.batches[fill.batch].bytes;
      this.uses.push({ slot: fill.slot, access: 'read', bytes, startMs: fill.firstReadMs, endMs });
    }
    this.released++;
    this.fill(endMs, false);
  }

  /** Slot uses since the last call. */
  takeUses(): SlotUse[] {
    return this.uses.splice(0);
  }

  private fill(freeMs: number, preloaded: boolean): void {
    const number = this.fills.length;
    const batch = number % this.batches.length;
    const slot = number % SLOTS;
    const bytes = this.batches[batch].bytes;
    const startMs = Math.max(freeMs, this.copyFreeMs);
    const endMs = preloaded ? startMs : startMs + copyMs(this.costs, bytes);
    this.copyFreeMs = endMs;
    this.fills.push({ batch, slot, startMs, endMs, firstReadMs: null });
    if (!preloaded) this.uses.push({ slot, access: 'write', bytes, startMs, endMs });
  }
}
