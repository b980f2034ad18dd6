import { doesNotFit } from './does-not-fit.js';
import { type PlacementItem, placeAlternating } from './placement.js';
import { copyMs, type MemoryContext, type Regions } from './regions.js';
import type { PlacedPass } from './runtime.js';
import { batchesOf, globalBatches, type StagingBatch, stagingRoom } from './staging-plan.js';
import { buffersOf, unitIndex, type WeightUnit } from './units.js';

/** Readings of "resident" in arXiv:2606.13740: of the whole decode, or of a phase (its Fig. 10). */
export const PLACEMENT_READINGS = ['global', 'alternating'] as const;
export type PlacementReading = (typeof PLACEMENT_READINGS)[number];

/** What SOMR decided for a window. */
export interface SomrPlan {
  readonly regions: Regions;
  readonly slotBytes: number;
  /** Units resident at the same time, as indices; one phase in the global reading. */
  readonly phases: readonly (readonly number[])[];
  /** The same as mappings. */
  readonly buffers: readonly (readonly WeightUnit[])[];
  readonly batches: readonly StagingBatch[];
  /** Batch and phase of each unit, -1 where it has none. */
  readonly batchOf: readonly number[];
  readonly phaseOf: readonly number[];
}

/** A pass in terms of units and of a plan. */
export interface PlannedPass {
  /** Units that each operator reads, in order. */
  readonly unitsOf: readonly (readonly number[])[];
  /** Last operator that reads each batch, -1 where none does. */
  readonly lastReader: readonly number[];
}

/** Places the weights of a model in a window. Plans depend on the regions beside them only, and are made once. */
export class SomrPlanner {
  readonly unitOf: ReadonlyMap<string, number>;
  private readonly plans = new Map<string, SomrPlan>();
  private readonly planned = new WeakMap<SomrPlan, WeakMap<PlacedPass['ops'], PlannedPass>>();

  constructor(
    readonly context: MemoryContext,
    readonly units: readonly WeightUnit[],
    private readonly reading: PlacementReading,
  ) {
    this.unitOf = unitIndex(units);
  }

  /** @throws UsageError naming the tensor that cannot be placed and the missing bytes */
  plan(regions: Regions): SomrPlan {
    const key = `${regions.tokens} ${regions.rows} ${regions.scratchBytes}`;
    let plan = this.plans.get(key);
    if (plan === undefined) {
      plan = this.makePlan(regions);
      this.plans.set(key, plan);
    }
    return plan;
  }

  /** What a pass reads under a plan. */
  passOf(plan: SomrPlan, ops: PlacedPass['ops']): PlannedPass {
    const ofPlan = this.planned.get(plan) ?? new WeakMap<PlacedPass['ops'], PlannedPass>();
    this.planned.set(plan, ofPlan);
    let pass = ofPlan.get(ops);
    if (pass === undefined) {
      const unitsOf = ops.map(({ weights }) => weights.map((id) => this.indexOf(id)));
      const lastReader = plan.batches.map(() => -1);
      unitsOf.forEach((units, index) => {
        for (const unit of units) if (plan.batchOf[unit] >= 0) lastReader[plan.batchOf[unit]] = index;
      });
      pass = { unitsOf, lastReader };
      ofPlan.set(ops, pass);
    }
    return pass;
  }

  private indexOf(tensor: string): number {
    const unit = this.unitOf.get(tensor);
    if (unit === undefined) throw new Error(`${tensor} was never classified`);
    return unit;
  }

  private makePlan(regions: Regions): SomrPlan {
    const { slotBytes, phases, batches } = this.place(regions);
    const limit = this.bufferLimit();
    return {
      regions,
      slotBytes,
      phases,
      buffers: phases.map((phase) =>
        buffersOf(
          phase.map((at) => this.units[at]),
          limit,
        ),
      ),
      batches,
      batchOf: this.whichHolds(batches.map(({ units }) => units)),
      phaseOf: this.whichHolds(phases),
    };
  }

  private place(regions: Regions): Pick<SomrPlan, 'slotBytes' | 'phases' | 'batches'> {
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
    if (room === null) return { slotBytes: 0, phases: [all], batches: [] };
    const { slotBytes, budgetBytes: budget } = room;
    const largest = this.units.reduce((best, unit) => (unit.bytes > best.bytes ? unit : best));
    if (budget < 0 || (this.reading === 'alternating' && budget < largest.bytes)) {
      const missing = this.reading === 'alternating' ? largest.bytes - budget : -budget;
      throw doesNotFit(window.bytes, missing, [
        { what: 'KV cache', bytes: regions.kvBytes },
        { what: 'activations', bytes: regions.scratchBytes },
        { what: 'two staging slots', bytes: 2 * slotBytes },
        ...(this.reading === 'alternating' ? [{ what: largest.id, bytes: largest.bytes }] : []),
      ]);
    }
    if (this.reading === 'alternating') {
      const { phases, staged } = this.placePhases(budget);
      return { slotBytes, phases, batches: batchesOf(staged, unitBytes, slotBytes) };
    }
    const batches = globalBatches(unitBytes, room);
    const staged = new Set(batches.flatMap(({ units }) => units));
    return { slotBytes, phases: [all.filter((at) => !staged.has(at))], batches };
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
    const ofUnit = this.units.map(() => 0);
    for (const { op, ms } of this.context.compute()) {
      const unit = op.weights.length === 0 ? undefined : this.unitOf.get(op.weights[0]);
      if (unit !== undefined) ofUnit[unit] += ms;
    }
    return this.units.map(({ id, bytes }, at) => ({
      id,
      bytes,
      computeMs: ofUnit[at],
      transferMs: copyMs(this.context.costs, bytes),
    }));
  }

  private bufferLimit(): number {
    return Math.min(this.context.maxBufferBytes, this.context.window.maxMap);
  }

  /** For each unit the set that it is in, -1 where it is in none. */
  private whichHolds(sets: readonly (readonly number[])[]): number[] {
    const holder = this.units.map(() => -1);
    sets.forEach((units, at) => {
      for (const unit of units) holder[unit] = at;
    });
    return holder;
  }
}
