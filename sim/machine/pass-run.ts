import { type BusyMs, RESOURCES, type ResourceName } from '../../src/decode/method/timer.js';
import type { Readiness } from '../memory/runtime.js';
import type { DriverPart, PartName } from './parts.js';
import type { NamedOp } from './prepare.js';
import { noBusy } from './resources.js';
import type { Regime, SharedSpan } from './side-work.js';
import type { Recorder, Span, Track } from './timeline.js';

/** Time of a pass by what it was spent on; added up when somebody asks. */
export class SpentTime {
  private readonly parts: PartName[] = [];
  private readonly ms: number[] = [];
  private readonly resources: ResourceName[] = [];

  add(part: PartName, ms: number, resource: ResourceName): void {
    this.parts.push(part);
    this.ms.push(ms);
    this.resources.push(resource);
  }

  /** By what it was spent on, in ms; the parts add up to the pass. */
  breakdown(): Map<PartName, number> {
    return this.sumBy(this.parts);
  }

  /** The same time by the resource that held up the main path: the busiest unit of an operator, the driver... */
  critical(): Map<ResourceName, number> {
    return this.sumBy(this.resources);
  }

  /** The time of each part by the resource that held it up. */
  heldByPart(): Map<PartName, Map<ResourceName, number>> {
    const held = new Map<PartName, Map<ResourceName, number>>();
    this.parts.forEach((part, at) => {
      const own = held.get(part) ?? new Map<ResourceName, number>();
      const resource = this.resources[at];
      held.set(part, own.set(resource, (own.get(resource) ?? 0) + this.ms[at]));
    });
    return held;
  }

  private sumBy<K>(keys: readonly K[]): Map<K, number> {
    const sums = new Map<K, number>();
    keys.forEach((key, at) => {
      sums.set(key, (sums.get(key) ?? 0) + this.ms[at]);
    });
    return sums;
  }
}

export interface PassTiming {
  readonly endMs: number;
  readonly busyMs: BusyMs;
  readonly spent: SpentTime;
  readonly regimes: readonly SharedSpan[];
  readonly dmaBytes: number;
  readonly dramBytes: number;
  readonly mappedBytes: number;
  readonly mapOps: number;
  readonly stagedBytes: number;
  readonly matrixMacs: number;
  readonly usefulMacs: number;
  readonly tcmPeakBytes: number;
  readonly usefulRowFraction: number;
  readonly dispatches: number;
  /** How often the graph changed processors. */
  readonly splits: number;
}

/** What a timeline says of a task. */
type TaskOfSpan = Pick<Span, 'task' | 'from' | 'bytes' | 'macs'>;

/** What a timeline says of an operator. */
type Recorded = Pick<NamedOp, 'id' | 'layer'>;

/** Accumulates one pass. */
export class PassRun {
  nowMs: number;
  readonly busyMs = noBusy();
  dmaBytes = 0;
  dramBytes = 0;
  mappedBytes = 0;
  mapOps = 0;
  stagedBytes = 0;
  matrixMacs = 0;
  usefulMacs = 0;
  tcmPeakBytes = 0;
  dispatches = 0;
  splits = 0;
  private readonly spent = new SpentTime();
  readonly regimes: { regime: Regime; startMs: number; endMs: number }[] = [];

  constructor(
    readonly startMs: number,
    private readonly step: number,
    private readonly recorder: Recorder,
  ) {
    this.nowMs = startMs;
  }

  /** The main path spends `ms` on something, held up by `resource`. */
  advance(part: PartName, ms: number, regime: Regime, resource: ResourceName): void {
    if (ms <= 0) return;
    this.spent.add(part, ms, resource);
    const { regimes } = this;
    const endMs = this.nowMs + ms;
    const last = regimes.at(-1);
    if (last?.regime === regime) last.endMs = endMs;
    else regimes.push({ regime, startMs: this.nowMs, endMs });
    this.nowMs = endMs;
  }

  driver(part: DriverPart, ms: number, op: Recorded | null): void {
    const startMs = this.nowMs;
    this.advance(part, ms, 'npu', 'driver');
    this.busyMs.driver += ms;
    this.record('driver', op?.id ?? part, part, op, startMs, this.nowMs);
  }

  cpu(
    part: PartName,
    name: string,
    category: string,
    op: Recorded | null,
    ms: number,
    coreShare: number,
  ): void {
    const startMs = this.nowMs;
    this.advance(part, ms, 'cpu', 'cpu');
    this.busyMs.cpu += ms * coreShare;
    this.record('cpu', name, category, op, startMs, this.nowMs);
  }

  gpu(part: PartName, category: string, op: Recorded | null, ms: number): void {
    const startMs = this.nowMs;
    this.advance(part, ms, 'npu', 'gpu');
    this.busyMs.gpu += ms;
    this.record('gpu', op?.id ?? category, category, op, startMs, this.nowMs);
  }

  memoryWork(ready: Readiness): void {
    this.driver('mapping', ready.mapMs, null);
    this.advance('staging wait', ready.stallMs, 'npu', 'cpu');
    this.mapOps += ready.mapOps;
    this.mappedBytes += ready.mappedBytes;
  }

  record(
    track: Track,
    name: string,
    category: string,
    op: Recorded | null,
    startMs: number,
    endMs: number,
    busyMs = endMs - startMs,
    task: TaskOfSpan = {},
  ): void {
    if (!this.recorder.on) return;
    const layer = op?.layer ?? null;
    this.recorder.span({ track, name, category, layer, step: this.step, startMs, endMs, busyMs, ...task });
  }

  /** @param regimes what the main path did when, copies told apart */
  finish(usefulRowFraction: number, dramBytesPerMs: number, regimes: readonly SharedSpan[]): PassTiming {
    this.busyMs.dram = this.dramBytes / dramBytesPerMs;
    return {
      endMs: this.nowMs,
      busyMs: this.busyMs,
      spent: this.spent,
      regimes,
      dmaBytes: this.dmaBytes,
      dramBytes: this.dramBytes,
      mappedBytes: this.mappedBytes,
      mapOps: this.mapOps,
      stagedBytes: this.stagedBytes,
      matrixMacs: this.matrixMacs,
      usefulMacs: this.usefulMacs,
      tcmPeakBytes: this.tcmPeakBytes,
      usefulRowFraction,
      dispatches: this.dispatches,
      splits: this.splits,
    };
  }
}

/** The resource that held something up longest; of equal ones the first in the order of reports. */
export function longestHeld(held: ReadonlyMap<ResourceName, number>): ResourceName {
  return RESOURCES.reduce((best, name) => ((held.get(name) ?? 0) > (held.get(best) ?? 0) ? name : best));
}
