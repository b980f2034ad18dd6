import { UsageError } from '../../src/errors.js';
import type { OpGraph } from '../../src/model/graph.js';
import { AddressWindow } from './address-window.js';
import { type PlacementItem, placeAlternating } from './placement.js';
import { copyMs, type MemoryContext, mapMs, type Regions, regionsFor } from './regions.js';
import type { MemoryMap, MemoryRuntime, PlacedOp, Readiness, SlotUse } from './runtime.js';
import { READY } from './runtime.js';
import { StagingPipeline } from './staging.js';
import { batchesOf, globalBatches, type StagingBatch, stagingRoom } from './staging-plan.js';
import { buffersOf, unitIndex, type WeightUnit } from './units.js';

/** Readings of "resident" in arXiv:2606.13740: of the whole decode, or of a phase (its Fig. 10). */
export const PLACEMENT_READINGS = ['global', 'alternating'] as const;
export type PlacementReading = (typeof PLACEMENT_READINGS)[number];

/** For a pipeline that stages nothing. */
const ZERO_COSTS = { mapFixedMs: 0, mapMsPerByte: 0, maintenanceMsPerByte: 0, copyBytesPerMs: 1 };

/** What SOMR decided for a window. */
export interface SomrPlan {
  readonly regions: Regions;
  readonly slotBytes: number;
  /** Units resident at the same time, as indices; one phase in the global reading. */
  readonly phases: readonly (readonly number[])[];
  readonly batches: readonly StagingBatch[];
}

/**
 * Swap-optimized memory runtime (arXiv:2606.13740 section 3.4): residents at stable addresses, packed in order
 * of use inside few large mappings; activations in a compact scratch; everything else copied through two slots
 * while the NPU computes.
 */
export class SomrMemory implements MemoryRuntime {
  readonly mode = 'somr';
  private readonly window: AddressWindow;
  private readonly unitOf: ReadonlyMap<string, number>;
  private plan: SomrPlan | null = null;
  private staging = new StagingPipeline([], ZERO_COSTS);
  /** Batch and phase of each unit, -1 where it has none. */
  private unitBatch: readonly number[] = [];
  private unitPhase: readonly number[] = [];
  private phase = 0;
  private residentBuffers: readonly WeightUnit[] = [];
  private ops: readonly PlacedOp[] = [];
  /** Last operator of the pass that reads each batch. */
  private lastReader: number[] = [];
  private nowMs = 0;

  constructor(
    private readonly context: MemoryContext,
    private readonly units: readonly WeightUnit[],
    private readonly reading: PlacementReading,
  ) {
    const { bytes, alignment, mapperEntries, maxMap } = context.window;
    this.window = new AddressWindow({ bytes, alignmentBytes: alignment, mapperEntries, maxMapBytes: maxMap });
    this.unitOf = unitIndex(units);
  }

  get windowBytes(): number {
    return this.window.mappedBytes;
  }

  /** The current plan; null before the first pass. */
  get currentPlan(): SomrPlan | null {
    return this.plan;
  }

  beginPass(graph: OpGraph, ops: readonly PlacedOp[], nowMs: number): Readiness {
    this.ops = ops;
    this.nowMs = nowMs;
    const regions = regionsFor(
      this.context,
      graph,
      ops.map((placed) => placed.op),
      this.plan?.regions ?? null,
    );
    let ready = READY(nowMs);
    if (regions !== this.plan?.regions) {
      const first = this.plan === null;
      this.plan = this.makePlan(regions);
      this.layout(this.plan);
      if (!first) {
        const bytes = this.window.mappedBytes;
        const ms = mapMs(this.context.costs, bytes);
        ready = {
          readyMs: nowMs + ms,
          mapMs: ms,
          mapOps: this.window.entries,
          mappedBytes: bytes,
          stallMs: 0,
        };
      }
    }
    this.lastReader = (this.plan?.batches ?? []).map(() => -1);
    ops.forEach(({ op }, index) => {
      for (const id of op.weights) {
        const batch = this.batchOf(this.indexOf(id));
        if (batch >= 0) this.lastReader[batch] = index;
      }
    });
    return ready;
  }

  before(index: number, nowMs: number): Readiness {
    let now = nowMs;
    let spentMs = 0;
    let mapOps = 0;
    let mappedBytes = 0;
    let stallMs = 0;
    for (const id of this.ops[index]?.op.weights ?? []) {
      const unit = this.indexOf(id);
      const batch = this.batchOf(unit);
      if (batch >= 0) {
        this.skipTo(batch, now);
        const readyMs = this.staging.read(batch, now);
        stallMs += readyMs - now;
        now = readyMs;
        continue;
      }
      const phase = this.phaseOf(unit);
      if (phase === this.phase) continue;
      const bytes = this.mapPhase(phase);
      const ms = mapMs(this.context.costs, bytes);
      spentMs += ms;
      now += ms;
      mapOps += this.residentBuffers.length;
      mappedBytes += bytes;
    }
    this.nowMs = now;
    return { readyMs: now, mapMs: spentMs, mapOps, mappedBytes, stallMs };
  }

  after(index: number, nowMs: number): void {
    this.nowMs = nowMs;
    if (this.staging.current >= 0 && this.lastReader[this.staging.current] === index)
      this.staging.release(nowMs);
  }

  copies(nowMs: number): readonly { startMs: number; endMs: number }[] {
    return this.staging.pending(nowMs);
  }

  endPass(nowMs: number): readonly SlotUse[] {
    this.nowMs = nowMs;
    // A pass without logits ends before the last layer's late weights: their fills are passed over.
    if (this.staging.current > 0) this.skipTo(0, nowMs);
    return this.staging.takeUses();
  }

  /** Whether a weight is copied into a slot every pass. */
  isStaged(tensor: string): boolean {
    const unit = this.unitOf.get(tensor);
    return unit !== undefined && this.batchOf(unit) >= 0;
  }

  addressOf(tensor: string): number | null {
    const unit = this.unitOf.get(tensor);
    if (unit === undefined || this.plan === null) return null;
    const offset = this.units[unit]?.offsets.get(tensor) ?? 0;
    const batch = this.batchOf(unit);
    if (batch < 0) {
      const buffer = this.residentBuffers.find((candidate) => candidate.offsets.has(tensor));
      const address = buffer === undefined ? null : this.window.addressOf(`residents from ${buffer.id}`);
      return address === null ? null : address + (buffer?.offsets.get(tensor) ?? 0);
    }
    const slot = this.staging.slotOf(batch, this.nowMs);
    const address = slot === null ? null : this.window.addressOf(`slot ${slot}`);
    if (address === null) return null;
    let before = 0;
    for (const other of this.plan.batches[batch]?.units ?? []) {
      if (other === unit) break;
      before += this.units[other]?.bytes ?? 0;
    }
    return address + before + offset;
  }

  map(): MemoryMap {
    const names = (units: readonly number[]): string[] =>
      units.flatMap((unit) => [...(this.units[unit]?.offsets.keys() ?? [])]);
    const staged = this.plan?.batches ?? [];
    const absent = this.units.filter(
      (_unit, at) => this.batchOf(at) < 0 && this.plan !== null && this.phaseOf(at) !== this.phase,
    );
    return {
      mapped: this.window.list(),
      staged: staged.map(({ units, bytes }) => ({ bytes, tensors: names(units) })),
      absent: absent.map(({ id, bytes }) => ({ id, bytes })),
      largestFreeBytes: this.window.largestFreeBytes,
      fragmentation: this.window.fragmentation,
    };
  }

  reset(): void {
    this.window.clear();
    this.plan = null;
    this.staging = new StagingPipeline([], ZERO_COSTS);
    this.phase = 0;
    this.nowMs = 0;
  }

  private skipTo(batch: number, nowMs: number): void {
    while (this.staging.current !== batch) this.staging.release(nowMs);
  }

  /** @throws UsageError naming the tensor that cannot be placed and the missing bytes */
  private makePlan(regions: Regions): SomrPlan {
    const { window } = this.context;
    const align = (bytes: number): number => Math.ceil(bytes / window.alignment) * window.alignment;
    const free = window.bytes - align(regions.kvBytes) - align(regions.scratchBytes);
    const unitBytes = this.units.map(({ bytes }) => bytes);
    const all = this.units.map((_, at) => at);
    const room = stagingRoom(unitBytes, free, {
      alignment: window.alignment,
      bufferLimit: this.bufferLimit(),
      slotBytes: this.context.slotBytes,
    });
    if (room === null) return { regions, slotBytes: 0, phases: [all], batches: [] };
    const { slotBytes, budgetBytes: budget } = room;
    const largest = this.units.reduce((best, unit) => (unit.bytes > best.bytes ? unit : best));
    if (budget < 0 || (this.reading === 'alternating' && budget < largest.bytes)) {
      const missing = this.reading === 'alternating' ? largest.bytes - budget : -budget;
      throw new UsageError(
        `${largest.id} (${largest.bytes} B) cannot be staged in an address window of ${window.bytes} B: ${missing} B missing`,
      );
    }
    if (this.reading === 'alternating') {
      const { phases, staged } = this.placePhases(budget);
      return { regions, slotBytes, phases, batches: batchesOf(staged, unitBytes, slotBytes) };
    }
    const batches = globalBatches(unitBytes, room);
    const staged = new Set(batches.flatMap(({ units }) => units));
    return { regions, slotBytes, phases: [all.filter((at) => !staged.has(at))], batches };
  }

  private placePhases(budget: number): { phases: number[][]; staged: number[] } {
    const items = this.items();
    const at = new Map(items.map((item, index) => [item.id, index]));
    const indices = (ids: readonly string[]): number[] => ids.map((id) => at.get(id) ?? -1);
    const phases = placeAlternating(items, budget);
    return {
      phases: phases.map((phase) => indices(phase.resident)),
      staged: phases.flatMap((phase) => indices(phase.temporary)),
    };
  }

  /** S, C and T of every unit. */
  private items(): PlacementItem[] {
    const computeMs = this.units.map(() => 0);
    for (const { op, computeMs: ms } of this.context.reference.placed()) {
      const unit = op.weights[0] === undefined ? undefined : this.unitOf.get(op.weights[0]);
      if (unit !== undefined) computeMs[unit] = (computeMs[unit] ?? 0) + ms;
    }
    return this.units.map(({ id, bytes }, at) => ({
      id,
      bytes,
      computeMs: computeMs[at] ?? 0,
      transferMs: copyMs(this.context.costs, bytes),
    }));
  }

  private layout(plan: SomrPlan): void {
    this.window.clear();
    this.require('KV cache', plan.regions.kvBytes);
    this.require('activations', plan.regions.scratchBytes);
    if (plan.batches.length > 0) for (const slot of [0, 1]) this.require(`slot ${slot}`, plan.slotBytes);
    this.residentBuffers = [];
    this.mapPhase(0);
    this.staging = new StagingPipeline(plan.batches, this.context.costs);
    this.indexPlan(plan);
  }

  /** Replaces the residents by those of a phase; returns the bytes mapped. */
  private mapPhase(phase: number): number {
    for (const buffer of this.residentBuffers) this.window.unmap(`residents from ${buffer.id}`);
    const residents = (this.plan?.phases[phase] ?? []).flatMap((at) => this.units[at] ?? []);
    this.residentBuffers = buffersOf(residents, this.bufferLimit());
    this.phase = phase;
    let bytes = 0;
    for (const buffer of this.residentBuffers) {
      this.require(`residents from ${buffer.id}`, buffer.bytes);
      bytes += buffer.bytes;
    }
    return bytes;
  }

  private bufferLimit(): number {
    const { maxMap } = this.context.window;
    return Math.min(this.context.maxBufferBytes, maxMap);
  }

  private require(id: string, bytes: number): void {
    if (bytes <= 0) return;
    if (this.window.map(id, bytes) === null) {
      throw new UsageError(
        `${id} (${bytes} B) does not fit the address window: ${bytes - this.window.largestFreeBytes} B missing`,
      );
    }
  }

  private indexPlan(plan: SomrPlan): void {
    const batch = this.units.map(() => -1);
    plan.batches.forEach(({ units }, at) => {
      for (const unit of units) batch[unit] = at;
    });
    const phase = this.units.map(() => -1);
    plan.phases.forEach((units, at) => {
      for (const unit of units) phase[unit] = at;
    });
    this.unitBatch = batch;
    this.unitPhase = phase;
  }

  private batchOf(unit: number): number {
    return this.unitBatch[unit] ?? -1;
  }

  private phaseOf(unit: number): number {
    return this.unitPhase[unit] ?? 0;
  }

  private indexOf(tensor: string): number {
    const unit = this.unitOf.get(tensor);
    if (unit === undefined) throw new Error(`${tensor} was never classified`);
    return unit;
  }
}
