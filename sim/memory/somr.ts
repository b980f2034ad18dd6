import { AddressWindow } from './address-window.js';
import { doesNotFit } from './does-not-fit.js';
import { mapMs, regionsFor } from './regions.js';
import type { MemoryMap, MemoryRuntime, PlacedPass, Readiness, SlotUse } from './runtime.js';
import { READY } from './runtime.js';
import type { PlannedPass, SomrPlan, SomrPlanner } from './somr-plan.js';
import { StagingPipeline } from './staging.js';
import type { WeightUnit } from './units.js';

/** For a pipeline that stages nothing. */
const ZERO_COSTS = { mapFixedMs: 0, mapMsPerByte: 0, maintenanceMsPerByte: 0, copyBytesPerMs: 1 };

/** Before the first pass. */
const NO_PASS: PlannedPass = { unitsOf: [], lastReader: [] };

/**
 * Swap-optimized memory runtime (arXiv:2606.13740 section 3.4): residents at stable addresses, packed in order
 * of use inside few large mappings; activations in a compact scratch; everything else copied through two slots
 * while the NPU computes.
 */
export class SomrMemory implements MemoryRuntime {
  readonly mode = 'somr';
  private readonly window: AddressWindow;
  private plan: SomrPlan | null = null;
  private pass = NO_PASS;
  private staging = new StagingPipeline([], ZERO_COSTS);
  private phase = 0;
  private nowMs = 0;

  constructor(private readonly planner: SomrPlanner) {
    const { bytes, alignment, mapperEntries, maxMap } = planner.context.window;
    this.window = new AddressWindow({ bytes, alignmentBytes: alignment, mapperEntries, maxMapBytes: maxMap });
  }

  get windowBytes(): number {
    return this.window.mappedBytes;
  }

  /** The current plan; null before the first pass. */
  get currentPlan(): SomrPlan | null {
    return this.plan;
  }

  beginPass(pass: PlacedPass, nowMs: number): Readiness {
    this.nowMs = nowMs;
    const { context } = this.planner;
    const before = this.plan;
    const regions = regionsFor(context, pass, before?.regions ?? null);
    let ready = READY(nowMs);
    if (before === null || regions !== before.regions) {
      this.layout(this.planner.plan(regions));
      // The first layout is part of loading the model, which no latency here includes.
      if (before !== null) {
        const bytes = this.window.mappedBytes;
        const ms = mapMs(context.costs, bytes);
        ready = {
          readyMs: nowMs + ms,
          mapMs: ms,
          mapOps: this.window.entries,
          mappedBytes: bytes,
          stallMs: 0,
        };
      }
    }
    this.pass = this.planner.passOf(this.planned, pass.ops);
    return ready;
  }

  before(index: number, nowMs: number): Readiness {
    const { batchOf, phaseOf, buffers } = this.planned;
    let now = nowMs;
    let spentMs = 0;
    let mapOps = 0;
    let mappedBytes = 0;
    let stallMs = 0;
    const units = this.pass.unitsOf[index];
    for (let at = 0; at < units.length; at++) {
      const unit = units[at];
      const batch = batchOf[unit];
      if (batch >= 0) {
        this.skipTo(batch, now);
        const readyMs = this.staging.read(batch, now);
        stallMs += readyMs - now;
        now = readyMs;
        continue;
      }
      const phase = phaseOf[unit];
      if (phase === this.phase) continue;
      const bytes = this.mapPhase(phase);
      const ms = mapMs(this.planner.context.costs, bytes);
      spentMs += ms;
      now += ms;
      mapOps += buffers[phase].length;
      mappedBytes += bytes;
    }
    this.nowMs = now;
    return { readyMs: now, mapMs: spentMs, mapOps, mappedBytes, stallMs };
  }

  after(index: number, nowMs: number): void {
    this.nowMs = nowMs;
    const { current } = this.staging;
    if (current >= 0 && this.pass.lastReader[current] === index) this.staging.release(nowMs);
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

  addressOf(tensor: string): number | null {
    const unit = this.planner.unitOf.get(tensor);
    if (unit === undefined || this.plan === null) return null;
    const { units } = this.planner;
    const batch = this.plan.batchOf[unit];
    if (batch < 0) {
      const buffer = this.residents.find((candidate) => candidate.offsets.has(tensor));
      const address = buffer === undefined ? null : this.window.addressOf(nameOf(buffer));
      return address === null ? null : address + (buffer?.offsets.get(tensor) ?? 0);
    }
    const slot = this.staging.slotOf(batch, this.nowMs);
    const address = slot === null ? null : this.window.addressOf(`slot ${slot}`);
    if (address === null) return null;
    let before = 0;
    for (const other of this.plan.batches[batch].units) {
      if (other === unit) break;
      before += units[other].bytes;
    }
    return address + before + (units[unit].offsets.get(tensor) ?? 0);
  }

  map(): MemoryMap {
    const { plan } = this;
    const { units } = this.planner;
    const names = (members: readonly number[]): string[] =>
      members.flatMap((unit) => [...units[unit].offsets.keys()]);
    const absent =
      plan === null
        ? []
        : units.filter((_unit, at) => plan.batchOf[at] < 0 && plan.phaseOf[at] !== this.phase);
    return {
      mapped: this.window.list(),
      staged: (plan?.batches ?? []).map((batch) => ({ bytes: batch.bytes, tensors: names(batch.units) })),
      absent: absent.map(({ id, bytes }) => ({ id, bytes })),
      largestFreeBytes: this.window.largestFreeBytes,
      fragmentation: this.window.fragmentation,
    };
  }

  reset(): void {
    this.window.clear();
    this.plan = null;
    this.pass = NO_PASS;
    this.staging = new StagingPipeline([], ZERO_COSTS);
    this.phase = 0;
    this.nowMs = 0;
  }

  private get planned(): SomrPlan {
    if (this.plan === null) throw new Error('an operator was dispatched before the first pass began');
    return this.plan;
  }

  /** Buffers of the residents that are mapped. */
  private get residents(): readonly WeightUnit[] {
    return this.plan?.buffers[this.phase] ?? [];
  }

  private skipTo(batch: number, nowMs: number): void {
    const { length } = this.planned.batches;
    for (let passed = 0; this.staging.current !== batch; passed++) {
      if (passed === length) throw new Error(`batch ${batch} is not staged`);
      this.staging.release(nowMs);
    }
  }

  /** @throws UsageError naming what cannot be mapped and the missing bytes */
  private layout(plan: SomrPlan): void {
    this.plan = plan;
    this.window.clear();
    this.require('KV cache', plan.regions.kvBytes);
    this.require('activations', plan.regions.scratchBytes);
    if (plan.batches.length > 0) for (const slot of [0, 1]) this.require(`slot ${slot}`, plan.slotBytes);
    this.mapResidents(0);
    this.staging = new StagingPipeline(plan.batches, this.planner.context.costs);
  }

  /** Replaces the residents by those of a phase; returns the bytes mapped. */
  private mapPhase(phase: number): number {
    for (const buffer of this.residents) this.window.unmap(nameOf(buffer));
    return this.mapResidents(phase);
  }

  private mapResidents(phase: number): number {
    this.phase = phase;
    let mapped = 0;
    for (const buffer of this.residents) {
      this.require(nameOf(buffer), buffer.bytes);
      mapped += buffer.bytes;
    }
    return mapped;
  }

  private require(id: string, bytes: number): void {
    if (bytes <= 0) return;
    if (this.window.map(id, bytes) === null) {
      const held = this.window.list().map((range) => ({ what: range.id, bytes: range.bytes }));
      const missing = bytes - this.window.largestFreeBytes;
      throw doesNotFit(this.planner.context.window.bytes, missing, [...held, { what: id, bytes }]);
    }
  }
}

function nameOf(buffer: WeightUnit): string {
  return `residents from ${buffer.id}`;
}
