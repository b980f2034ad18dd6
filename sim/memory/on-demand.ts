import type { UsageError } from '../../src/errors.js';
import { AddressWindow } from './address-window.js';
import { doesNotFit } from './does-not-fit.js';
import { type MemoryContext, mapMs, type Regions, regionsFor } from './regions.js';
import type { MemoryMap, MemoryRuntime, PlacedPass, Readiness, SlotUse } from './runtime.js';
import { READY } from './runtime.js';
import { unitIndex, type WeightUnit } from './units.js';

/**
 * What is replaced, given the bytes left for weights: units that come and go as a whole, and which of them stay
 * for good.
 */
export type ReplacementRule = (budgetBytes: number) => {
  readonly units: readonly WeightUnit[];
  readonly pinned: ReadonlySet<number>;
};

/**
 * Mapping on demand: a unit of weights that an operator needs and the window does not hold is mapped before the
 * operator is dispatched, after unmapping the least recently used units. The NPU waits.
 *
 * With whole backend buffers as units this is the baseline without SOMR. With single
 * tensors as units, some of them pinned, it is the "paging only" row.
 */
export class OnDemandMemory implements MemoryRuntime {
  private readonly window: AddressWindow;
  private units: readonly WeightUnit[] = [];
  private pinned: ReadonlySet<number> = new Set();
  private unitOf: ReadonlyMap<string, number> = new Map();
  private lastUse: number[] = [];
  private regions: Regions | null = null;
  private loaded = false;
  private ops: PlacedPass['ops'] = [];
  private clock = 0;

  constructor(
    readonly mode: 'on-demand' | 'paging',
    private readonly context: MemoryContext,
    private readonly choose: ReplacementRule,
  ) {
    const { bytes, alignment, mapperEntries, maxMap } = context.window;
    this.window = new AddressWindow({ bytes, alignmentBytes: alignment, mapperEntries, maxMapBytes: maxMap });
  }

  get windowBytes(): number {
    return this.window.mappedBytes;
  }

  beginPass(pass: PlacedPass, nowMs: number): Readiness {
    this.ops = pass.ops;
    const wanted = regionsFor(this.context, pass, this.regions);
    if (wanted === this.regions) return READY(nowMs);
    this.regions = wanted;
    const before = this.loaded;
    this.layout(wanted);
    // The first layout is part of loading the model, which no latency here includes.
    const bytes = this.window.mappedBytes;
    if (!before) return READY(nowMs);
    const ms = mapMs(this.context.costs, bytes);
    return { readyMs: nowMs + ms, mapMs: ms, mapOps: this.window.entries, mappedBytes: bytes, stallMs: 0 };
  }

  before(index: number, nowMs: number): Readiness {
    let spentMs = 0;
    let mapOps = 0;
    let mappedBytes = 0;
    const needed = new Set(this.ops[index].weights.map((id) => this.unitOf.get(id) ?? -1));
    for (const unit of needed) {
      const { id, bytes } = this.unit(unit);
      if (this.window.addressOf(id) === null) {
        this.makeRoom(unit, needed);
        spentMs += mapMs(this.context.costs, bytes);
        mapOps++;
        mappedBytes += bytes;
      }
      this.lastUse[unit] = ++this.clock;
    }
    return { readyMs: nowMs + spentMs, mapMs: spentMs, mapOps, mappedBytes, stallMs: 0 };
  }

  after(): void {}

  copies(): readonly SlotUse[] {
    return [];
  }

  endPass(): readonly SlotUse[] {
    return [];
  }

  addressOf(tensor: string): number | null {
    const at = this.unitOf.get(tensor);
    if (at === undefined) return null;
    const unit = this.unit(at);
    const address = this.window.addressOf(unit.id);
    return address === null ? null : address + (unit.offsets.get(tensor) ?? 0);
  }

  map(): MemoryMap {
    const absent = this.units.filter(({ id }) => this.window.addressOf(id) === null);
    return {
      mapped: this.window.list(),
      staged: [],
      absent: absent.map(({ id, bytes }) => ({ id, bytes })),
      largestFreeBytes: this.window.largestFreeBytes,
      fragmentation: this.window.fragmentation,
    };
  }

  reset(): void {
    this.window.clear();
    this.regions = null;
    this.loaded = false;
    this.clock = 0;
  }

  /** KV and activations first, then weights in order of use until the window is full. */
  private layout(regions: Regions): void {
    this.window.clear();
    this.require('KV cache', regions.kvBytes);
    this.require('activations', regions.scratchBytes);
    const { units, pinned } = this.choose(this.context.window.bytes - this.window.mappedBytes);
    this.units = units;
    this.pinned = pinned;
    this.unitOf = unitIndex(units);
    this.lastUse = units.map(() => -1);
    this.units.forEach(({ id, bytes }, at) => {
      if (this.pinned.has(at)) this.require(id, bytes);
    });
    this.units.forEach(({ id, bytes }, at) => {
      if (!this.pinned.has(at) && this.window.fits(bytes)) this.window.map(id, bytes);
    });
    this.loaded = true;
  }

  private require(id: string, bytes: number): void {
    if (bytes > 0 && this.window.map(id, bytes) === null) throw this.tooLarge(id, bytes);
  }

  private makeRoom(wanted: number, needed: ReadonlySet<number>): void {
    const { id, bytes } = this.unit(wanted);
    while (this.window.map(id, bytes) === null) {
      let victim = -1;
      this.lastUse.forEach((used, at) => {
        const candidate =
          !needed.has(at) && !this.pinned.has(at) && this.window.addressOf(this.unit(at).id) !== null;
        if (candidate && (victim < 0 || used < this.lastUse[victim])) victim = at;
      });
      if (victim < 0) throw this.tooLarge(id, bytes);
      this.window.unmap(this.unit(victim).id);
    }
  }

  private tooLarge(id: string, bytes: number): UsageError {
    const missing = bytes - this.window.largestFreeBytes;
    const held = this.window.list().map((range) => ({ what: range.id, bytes: range.bytes }));
    return doesNotFit(this.context.window.bytes, missing, [...held, { what: id, bytes }]);
  }

  private unit(at: number): WeightUnit {
    const unit = this.units[at];
    if (unit === undefined) throw new Error('an operator names a weight that was never classified');
    return unit;
  }
}
