import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { MemoryRuntime, PlacedOp, Readiness, SlotUse } from '../memory/runtime.js';
import type { DispatchGroup, SoftwareStack } from '../stacks/stack.js';
import { cpuMs, cpuWork } from './cpu-model.js';
import { bytesOf } from './lower-common.js';
import type { NpuUnits, TimedKernel } from './npu-unit.js';
import type { Rates } from './rates.js';
import { type BusyMs, NPU_UNITS, noBusy } from './resources.js';
import type { Regime, RegimeSpan } from './side-work.js';
import type { Recorder, Track } from './timeline.js';

/** Time of a pass by what it was spent on, in ms; the parts add up to the pass. */
export type Breakdown = Map<string, number>;

export interface PassTiming {
  readonly endMs: number;
  readonly busyMs: BusyMs;
  readonly breakdown: Breakdown;
  readonly regimes: readonly RegimeSpan[];
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

/** Runs passes on the main path: dispatch, mapping, NPU operators, CPU operators, one after the other. */
export class PassTimer {
  /** Staging copies that are not over yet. */
  private copies: SlotUse[] = [];

  constructor(
    private readonly profile: HardwareProfile,
    private readonly stack: SoftwareStack,
    private readonly rates: Rates,
    private readonly npu: NpuUnits,
    private readonly memory: MemoryRuntime,
    private readonly recorder: Recorder,
  ) {}

  /** Forgets copies in flight. */
  reset(): void {
    this.copies = [];
  }

  /** @param step number shown in the timeline */
  run(graph: OpGraph, step: number, startMs: number): PassTiming {
    const run = new PassRun(startMs, step, this.recorder);
    const groups = this.stack.groups(graph);
    const kernels = groups.map((group) => this.kernels(group, graph));
    const placed: PlacedOp[] = [];
    groups.forEach((group, index) => {
      if (group.device !== 'npu') return;
      group.ops.forEach((op, at) => {
        placed.push({ op, computeMs: kernels[index]?.[at]?.ms ?? 0 });
      });
    });
    if (placed.length > 0) run.memoryWork(this.memory.beginPass(graph, placed, run.nowMs));
    let next = 0;
    groups.forEach((group, index) => {
      if (group.device === 'cpu') {
        for (const op of group.ops) this.cpuOp(op, graph, run);
        return;
      }
      this.npuGroup(group, kernels[index] ?? [], next, graph, run);
      next += group.ops.length;
    });
    if (placed.length > 0) this.endMemory(run);
    this.sample(graph, run);
    return run.finish(this.usefulRows(graph, placed.length > 0), this.rates.dramBytesPerMs);
  }

  private kernels(group: DispatchGroup, graph: OpGraph): TimedKernel[] {
    return group.device === 'npu' ? group.ops.map((op) => this.npu.time(op, graph)) : [];
  }

  /** Operands of the group become reachable, it is dispatched, and its operators run back to back. */
  private npuGroup(
    group: DispatchGroup,
    kernels: readonly TimedKernel[],
    first: number,
    graph: OpGraph,
    run: PassRun,
  ): void {
    group.ops.forEach((_op, at) => {
      run.memoryWork(this.memory.before(first + at, run.nowMs));
    });
    const { driver } = this.profile;
    const call = this.stack.dispatch === 'remote-call' ? driver.remoteCall : driver.queueBatch;
    run.driver('dispatch', call, group.ops[0]);
    run.dispatches++;
    run.driver(
      'cache maintenance',
      (this.sharedBytes(group, graph) / 1e6) * driver.cacheMaintenance,
      group.ops[0],
    );
    group.ops.forEach((op, at) => {
      const kernel = kernels[at];
      if (kernel === undefined) return;
      this.npuOp(op, kernel, graph, run);
      this.memory.after(first + at, run.nowMs);
    });
  }

  /** Activations entering or leaving a dispatch: the host flushes or invalidates them. KV stays on the NPU's side. */
  private sharedBytes(group: DispatchGroup, graph: OpGraph): number {
    const inside = new Set(group.ops.flatMap((op) => op.outputs));
    const names = new Set<string>();
    for (const op of group.ops) {
      for (const id of op.inputs) if (!inside.has(id) && graph.tensors.get(id)?.role !== 'kv') names.add(id);
      for (const id of op.outputs) {
        const consumers = graph.tensors.get(id)?.consumers ?? [];
        const leaves =
          consumers.length === 0 || consumers.some((user) => !group.ops.some((own) => own.id === user));
        if (leaves) names.add(id);
      }
    }
    return bytesOf(graph, [...names]);
  }

  private npuOp(op: Op, kernel: TimedKernel, graph: OpGraph, run: PassRun): void {
    const startMs = run.nowMs;
    run.advance(`NPU ${opLabel(op)}`, kernel.ms, 'npu');
    kernel.busyMs.forEach((busy, unit) => {
      const name = NPU_UNITS[unit];
      if (name === undefined) return;
      run.busyMs[name] += busy;
      if (busy > 0 && this.recorder.level === 'op')
        run.record(name, op.id, opLabel(op), op, startMs, run.nowMs, busy);
    });
    if (this.recorder.level === 'chunk') {
      for (const span of this.npu.spans(op, graph)) {
        const track = NPU_UNITS[span.unit];
        run.record(
          track,
          `${op.id} ${span.kind}`,
          opLabel(op),
          op,
          startMs + span.startMs,
          startMs + span.endMs,
        );
      }
    }
    if (this.recorder.on) {
      this.recorder.counter('TCM bytes', startMs, kernel.tcmPeakBytes);
      const gbps = (kernel.dmaBytes + kernel.l2Bytes) / kernel.ms / 1e6;
      this.recorder.counter('NPU DRAM GB/s', startMs, gbps);
    }
    run.dmaBytes += kernel.dmaBytes;
    run.dramBytes += kernel.dmaBytes + kernel.l2Bytes;
    run.matrixMacs += kernel.matrixMacs;
    run.usefulMacs += op.macs;
    run.tcmPeakBytes = Math.max(run.tcmPeakBytes, kernel.tcmPeakBytes);
  }

  private cpuOp(op: Op, graph: OpGraph, run: PassRun): void {
    const { cpu } = this.profile;
    const cores = cpu.primeCores + cpu.midCores;
    const threads = Math.min(this.stack.numbers.cpuThreads, cores);
    const work = cpuWork(op, graph, this.profile);
    const ms = cpuMs(work, threads, this.rates.cpuBytesPerMs) + this.stack.numbers.cpuBarrierMs;
    run.cpu(op.id, opLabel(op), op, ms, threads / cores);
    run.dramBytes += work.bytes;
  }

  /** Softmax, confidence and choice over the logits of every row that has them. */
  private sample(graph: OpGraph, run: PassRun): void {
    if (graph.logits === null) return;
    const { cpu } = this.profile;
    const cores = cpu.primeCores + cpu.midCores;
    const threads = Math.min(this.stack.numbers.cpuThreads, cores);
    const bytes = bytesOf(graph, [graph.logits]);
    const elements = bytes / 4;
    const work = { singleThreadMs: elements * this.stack.numbers.samplePerLogitMs, bytes };
    run.cpu('sampling', 'sampling', null, cpuMs(work, threads, this.rates.cpuBytesPerMs), threads / cores);
    run.dramBytes += bytes;
  }

  /** Books staging copies as far as they ran within this pass; the rest of a copy belongs to the next one. */
  private endMemory(run: PassRun): void {
    const { cpu } = this.profile;
    for (const use of this.memory.endPass(run.nowMs)) {
      if (use.access === 'read') continue;
      this.copies.push(use);
      run.record('staging', `slot ${use.slot}`, 'copy', null, use.startMs, use.endMs);
    }
    for (const copy of this.copies) {
      if (copy.endMs === copy.startMs) continue;
      const ranMs = Math.max(0, Math.min(copy.endMs, run.nowMs) - Math.max(copy.startMs, run.startMs));
      const bytes = copy.bytes * (ranMs / (copy.endMs - copy.startMs));
      run.stagedBytes += bytes;
      run.dramBytes += 2 * bytes;
      run.busyMs.cpu += ranMs / (cpu.primeCores + cpu.midCores);
    }
    this.copies = this.copies.filter((copy) => copy.endMs > run.nowMs);
    this.recorder.counter('mapped bytes', run.nowMs, this.memory.windowBytes);
  }

  private usefulRows(graph: OpGraph, onNpu: boolean): number {
    if (!onNpu) return 1;
    const tile = this.profile.npu.matrixTile;
    return graph.shape.rows / (Math.ceil(graph.shape.rows / tile) * tile);
  }
}

/** How reports group operators. */
export function opLabel(op: Op): string {
  return op.kind === 'matmul' ? op.role : op.kind;
}

/** Accumulates one pass. */
class PassRun {
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
  private readonly breakdown: Breakdown = new Map();
  private readonly regimes: { regime: Regime; startMs: number; endMs: number }[] = [];

  constructor(
    readonly startMs: number,
    private readonly step: number,
    private readonly recorder: Recorder,
  ) {
    this.nowMs = startMs;
  }

  /** The critical path spends `ms` on something. */
  advance(what: string, ms: number, regime: Regime): void {
    if (ms <= 0) return;
    this.breakdown.set(what, (this.breakdown.get(what) ?? 0) + ms);
    const last = this.regimes.at(-1);
    if (last !== undefined && last.regime === regime) last.endMs = this.nowMs + ms;
    else this.regimes.push({ regime, startMs: this.nowMs, endMs: this.nowMs + ms });
    this.nowMs += ms;
  }

  driver(what: string, ms: number, op: Op | undefined): void {
    if (ms <= 0) return;
    const startMs = this.nowMs;
    this.advance(what, ms, 'npu');
    this.busyMs.driver += ms;
    if (this.recorder.on) this.record('driver', op?.id ?? what, what, op ?? null, startMs, this.nowMs);
  }

  cpu(name: string, label: string, op: Op | null, ms: number, coreShare: number): void {
    const startMs = this.nowMs;
    this.advance(`CPU ${label}`, ms, 'cpu');
    this.busyMs.cpu += ms * coreShare;
    if (this.recorder.on) this.record('cpu', name, label, op, startMs, this.nowMs);
  }

  memoryWork(ready: Readiness): void {
    this.driver('mapping', ready.mapMs, undefined);
    this.advance('staging wait', ready.stallMs, 'npu');
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

  finish(usefulRowFraction: number, dramBytesPerMs: number): PassTiming {
    this.busyMs.dram = this.dramBytes / dramBytesPerMs;
    const { nowMs: endMs, busyMs, breakdown, regimes, dmaBytes, dramBytes, mappedBytes, mapOps } = this;
    const { stagedBytes, matrixMacs, usefulMacs, tcmPeakBytes, dispatches } = this;
    return {
      ...{ endMs, busyMs, breakdown, regimes, dmaBytes, dramBytes, mappedBytes, mapOps, stagedBytes },
      ...{ matrixMacs, usefulMacs, tcmPeakBytes, usefulRowFraction, dispatches },
    };
  }
}
