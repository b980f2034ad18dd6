import type { Op } from '../../src/model/graph.js';
import type { Readiness } from '../memory/runtime.js';
import { type BusyMs, noBusy, type ResourceName } from './resources.js';
import type { Regime, SharedSpan } from './side-work.js';
import type { Recorder, Track } from './timeline.js';

/** Time of a pass by what it was spent on; added up when somebody asks. */
export class SpentTime {
  private readonly whats: string[] = [];
  private readonly ms: number[] = [];
  private readonly resources: ResourceName[] = [];

  add(what: string, ms: number, resource: ResourceName): void {
    this.whats.push(what);
    this.ms.push(ms);
    this.resources.push(resource);
  }

  /** By what it was spent on, in ms; the parts add up to the pass. */
  breakdown(): Map<string, number> {
    return this.sumBy(this.whats);
  }

  /** The same time by the resource that held up the main path: the busiest unit of an operator, the driver... */
  critical(): Map<ResourceName, number> {
    return this.sumBy(this.resources);
  }

  /** The resource that held up each part of the breakdown longest. */
  partBounds(): Map<string, ResourceName> {
    const held = new Map<string, Map<ResourceName, number>>();
    this.whats.forEach((what, at) => {
      const part = held.get(what) ?? new Map<ResourceName, number>();
      const resource = this.resources[at] as ResourceName;
      held.set(what, part.set(resource, (part.get(resource) ?? 0) + (this.ms[at] as number)));
    });
    return new Map([...held].map(([what, part]) => [what, longest(part)]));
  }

  private sumBy<K>(keys: readonly K[]): Map<K, number> {
    const sums = new Map<K, number>();
    keys.forEach((key, at) => {
      sums.set(key, (sums.get(key) ?? 0) + (this.ms[at] as number));
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
  /** Rows of the pass over rows the matrix unit computed; 1 when it computed none. */
  readonly usefulRowFraction: number;
  readonly dispatches: number;
}

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
  advance(what: string, ms: number, regime: Regime, resource: ResourceName): void {
    if (ms <= 0) return;
    this.spent.add(what, ms, resource);
    const last = this.regimes.at(-1);
    if (last !== undefined && last.regime === regime) last.endMs = this.nowMs + ms;
    else this.regimes.push({ regime, startMs: this.nowMs, endMs: this.nowMs + ms });
    this.nowMs += ms;
  }

  driver(what: string, ms: number, op: Op | undefined): void {
    if (ms <= 0) return;
    const startMs = this.nowMs;
    this.advance(what, ms, 'npu', 'driver');
    this.busyMs.driver += ms;
    if (this.recorder.on) this.record('driver', op?.id ?? what, what, op ?? null, startMs, this.nowMs);
  }

  cpu(name: string, label: string, op: Op | null, ms: number, coreShare: number): void {
    const startMs = this.nowMs;
    this.advance(`CPU ${label}`, ms, 'cpu', 'cpu');
    this.busyMs.cpu += ms * coreShare;
    if (this.recorder.on) this.record('cpu', name, label, op, startMs, this.nowMs);
  }

  gpu(label: string, op: Op | null, ms: number): void {
    const startMs = this.nowMs;
    this.advance(`GPU ${label}`, ms, 'npu', 'gpu');
    this.busyMs.gpu += ms;
    if (this.recorder.on) this.record('gpu', op?.id ?? label, label, op, startMs, this.nowMs);
  }

  memoryWork(ready: Readiness): void {
    this.driver('mapping', ready.mapMs, undefined);
    this.advance('staging wait', ready.stallMs, 'npu', 'cpu');
    this.mapOps += ready.mapOps;
    this.mappedBytes += ready.mappedBytes;
  }

  record(
    track: Track | undefined,
    name: string,
    category: string,
    op: Op | null,
    startMs: number,
    endMs: number,
    busyMs = endMs - startMs,
  ): void {
    if (!this.recorder.on || track === undefined) return;
    const layer = op?.layer ?? null;
    this.recorder.span({ track, name, category, layer, step: this.step, startMs, endMs, busyMs });
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
    };
  }
}

function longest(held: ReadonlyMap<ResourceName, number>): ResourceName {
  let best: ResourceName = 'driver';
  for (const [resource, ms] of held) if (ms > (held.get(best) ?? 0)) best = resource;
  return best;
}
