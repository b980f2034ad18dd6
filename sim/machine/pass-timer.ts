import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { MemoryRuntime, PlacedOp, SlotUse } from '../memory/runtime.js';
import type { DispatchGroup, SoftwareStack } from '../stacks/stack.js';
import { type CpuWork, cpuMs, effectiveThreads } from './cpu-model.js';
import { cpuWork, kernelKey, operatorStarts } from './lower/index.js';
import { bytesOf, matrixRows } from './lower/tensors.js';
import { type NpuUnits, stretched, type TimedKernel } from './npu-unit.js';
import { PassRun, type PassTiming } from './pass-run.js';
import type { Rates } from './rates.js';
import { NPU_UNITS } from './resources.js';
import { splitAtCopies } from './side-work.js';
import type { Recorder } from './timeline.js';

export interface PreparedOp {
  readonly op: Op;
  readonly label: string;
  /** On the NPU, alone and beside a staging copy; on the CPU null. */
  readonly kernel: TimedKernel | null;
  readonly besideCopy: TimedKernel | null;
  readonly cpu: CpuWork | null;
}

export interface PreparedGroup {
  readonly device: DispatchGroup['device'];
  readonly ops: readonly PreparedOp[];
  /** Activations entering or leaving the dispatch: the host flushes or invalidates them. */
  readonly sharedBytes: number;
}

/** What depends on the graph only. */
export interface PreparedPass {
  readonly groups: readonly PreparedGroup[];
  readonly placed: readonly PlacedOp[];
}

/** The parts of a machine that passes run on. */
export interface PassResources {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
  readonly rates: Rates;
  readonly npu: NpuUnits;
  /** The same units while a staging copy takes its share of DRAM. */
  readonly npuBesideCopy: NpuUnits;
  readonly memory: MemoryRuntime;
  readonly recorder: Recorder;
}

/** Runs passes on the main path: dispatch, mapping, NPU operators, CPU operators, one after the other. */
export class PassTimer {
  private readonly prepared = new WeakMap<OpGraph, PreparedPass>();
  /** Staging copies that are not over yet. */
  private copies: SlotUse[] = [];

  constructor(private readonly on: PassResources) {}

  /** Forgets copies in flight. */
  reset(): void {
    this.copies = [];
  }

  /** @param step number shown in the timeline */
  run(graph: OpGraph, step: number, startMs: number): PassTiming {
    const { memory, rates, recorder } = this.on;
    const { groups, placed } = this.prepare(graph);
    const run = new PassRun(startMs, step, recorder);
    if (placed.length > 0) run.memoryWork(memory.beginPass(graph, placed, startMs));
    let next = 0;
    for (const group of groups) {
      if (group.device !== 'npu') for (const op of group.ops) this.hostOp(op, group.device, run);
      else {
        this.npuGroup(group, next, run);
        next += group.ops.length;
      }
    }
    this.finishPass(groups, graph, run);
    if (placed.length > 0) this.endMemory(run);
    const regimes = splitAtCopies(run.regimes, this.copies);
    this.copies = this.copies.filter((copy) => copy.endMs > run.nowMs);
    return run.finish(this.usefulRows(graph, placed.length > 0), rates.dramBytesPerMs, regimes);
  }

  prepare(graph: OpGraph): PreparedPass {
    let prepared = this.prepared.get(graph);
    if (prepared !== undefined) return prepared;
    const { npu, npuBesideCopy, profile, stack } = this.on;
    const groups = stack.groups(graph, profile).map(({ device, ops }) => {
      const onNpu = device === 'npu';
      const keys = onNpu ? ops.map((op) => kernelKey(op, graph)) : [];
      const kernels = onNpu ? npu.timeGroup(ops, graph, keys) : [];
      const besideCopy =
        npuBesideCopy === npu || !onNpu ? kernels : npuBesideCopy.timeGroup(ops, graph, keys);
      // Written out here and where operators are lowered: spreads took most of a first step.
      const prepareOp = (op: Op, at: number): PreparedOp => ({
        op,
        label: opLabel(op),
        kernel: kernels[at] ?? null,
        besideCopy: besideCopy[at] ?? null,
        cpu: onNpu ? null : cpuWork(op, graph, profile, stack.numbers),
      });
      return {
        device,
        ops: ops.map(prepareOp),
        sharedBytes: onNpu ? sharedBytes({ device, ops }, graph) : 0,
      };
    });
    const onNpu = groups.filter((group) => group.device === 'npu').flatMap((group) => group.ops);
    const placed = onNpu.map(({ op, kernel }) => ({ op, computeMs: kernel?.ms ?? 0 }));
    prepared = { groups, placed };
    this.prepared.set(graph, prepared);
    return prepared;
  }

  /**
   * The group is dispatched and its operators run back to back. Where one needs a mapping first, the batch ends: the
   * rest is dispatched when the driver has mapped its operands.
   */
  private npuGroup(group: PreparedGroup, first: number, run: PassRun): void {
    const { memory, profile, stack } = this.on;
    const { driver } = profile;
    group.ops.forEach((op, at) => {
      const ready = memory.before(first + at, run.nowMs);
      run.memoryWork(ready);
      if (at === 0 || ready.mapMs > 0) {
        run.driver(
          'dispatch',
          stack.dispatch === 'remote-call' ? driver.remoteCall : driver.queueBatch,
          op.op,
        );
        run.dispatches++;
      }
      if (at === 0)
        run.driver('cache maintenance', (group.sharedBytes / 1e6) * driver.cacheMaintenance, op.op);
      run.driver('operator start', operatorStarts(op.op, stack) * stack.numbers.opStartMs, op.op);
      this.npuOp(op, run);
      memory.after(first + at, run.nowMs);
    });
  }

  private npuOp({ op, label, kernel, besideCopy }: PreparedOp, run: PassRun): void {
    if (kernel === null || besideCopy === null) return;
    const { memory, recorder } = this.on;
    const startMs = run.nowMs;
    const { ms, busyMs } = stretched(kernel, besideCopy, memory.copies(startMs), startMs);
    run.advance(`NPU ${label}`, ms, 'npu', busiest(busyMs));
    busyMs.forEach((busy, unit) => {
      const name = NPU_UNITS[unit];
      if (name === undefined) return;
      run.busyMs[name] += busy;
      if (busy > 0 && recorder.level === 'op')
        run.record(name, op.id, label, op, startMs, run.nowMs, Math.min(busy, ms));
    });
    if (recorder.level === 'chunk') this.recordChunks(op, label, kernel, ms / kernel.ms, startMs, run);
    if (recorder.on) {
      recorder.counter('TCM bytes', startMs, kernel.tcmPeakBytes);
      recorder.counter('NPU DRAM GB/s', startMs, (kernel.dmaBytes + kernel.l2Bytes) / ms / 1e6);
    }
    run.dmaBytes += kernel.dmaBytes;
    run.dramBytes += kernel.dmaBytes + kernel.l2Bytes;
    run.matrixMacs += kernel.matrixMacs;
    run.usefulMacs += op.macs;
    run.tcmPeakBytes = Math.max(run.tcmPeakBytes, kernel.tcmPeakBytes);
  }

  /** @param stretch how much longer the operator took than alone */
  private recordChunks(
    op: Op,
    label: string,
    kernel: TimedKernel,
    stretch: number,
    startMs: number,
    run: PassRun,
  ): void {
    for (const span of this.on.npu.spans(kernel)) {
      const from = startMs + span.startMs * stretch;
      run.record(
        NPU_UNITS[span.unit],
        `${op.id} ${span.kind}`,
        label,
        op,
        from,
        startMs + span.endMs * stretch,
      );
    }
  }

  /** An operator outside the NPU, `times` times. */
  hostOp(prepared: PreparedOp, device: 'cpu' | 'gpu', run: PassRun, times = 1): void {
    const { op, label, cpu } = prepared;
    if (times === 0 || cpu === null) return;
    const ms = this.hostMs(prepared, device) * times;
    if (device === 'gpu') run.gpu(label, op, ms);
    else run.cpu(op.id, label, op, ms, this.threads() / this.cores());
    run.dramBytes += cpu.bytes * times;
  }

  /** Time of an operator outside the NPU. On the GPU it is bound by its arithmetic or by DRAM, and costs its launch. */
  hostMs({ op, cpu }: PreparedOp, device: 'cpu' | 'gpu'): number {
    if (cpu === null) return 0;
    const { rates, stack, profile } = this.on;
    if (device === 'cpu') return cpuMs(cpu, this.speed(), rates.cpuBytesPerMs) + stack.numbers.cpuBarrierMs;
    const { readRate, macsPerNs, kernelLaunch } = profile.gpu;
    return Math.max(op.macs / (macsPerNs * 1e6), cpu.bytes / (readRate * 1e6)) + kernelLaunch;
  }

  /** What follows the last operator: the wait for a GPU, and the choice of tokens. */
  finishPass(groups: readonly PreparedGroup[], graph: OpGraph, run: PassRun, samples = true): void {
    if (groups.some((group) => group.device === 'gpu')) run.gpu('finish', null, this.on.profile.gpu.finish);
    if (!samples || graph.logits === null) return;
    const sampling = this.sampling(graph);
    run.cpu('sampling', 'sampling', null, this.samplingMs(sampling), this.threads() / this.cores());
    run.dramBytes += sampling.bytes;
  }

  /** Time of the choice of tokens. */
  samplingMs(work: CpuWork): number {
    return cpuMs(work, this.speed(), this.on.rates.cpuBytesPerMs);
  }

  /** Softmax, confidence and choice over the logits of every row that somebody samples. */
  sampling(graph: OpGraph): CpuWork {
    const { logitsRows, sampledRows = logitsRows } = graph.shape;
    const bytes = graph.logits === null ? 0 : bytesOf(graph, [graph.logits]) * (sampledRows / logitsRows);
    return { singleThreadMs: (bytes / 4) * this.on.stack.numbers.samplePerLogitMs, bytes };
  }

  /** Books staging copies as far as they ran within this pass; the rest of a copy belongs to the next one. */
  private endMemory(run: PassRun): void {
    const { memory, recorder } = this.on;
    for (const use of memory.endPass(run.nowMs)) {
      if (use.access === 'read' || use.endMs === use.startMs) continue;
      this.copies.push(use);
      run.record('staging', `slot ${use.slot}`, 'copy', null, use.startMs, use.endMs);
    }
    for (const copy of this.copies) {
      const ranMs = Math.max(0, Math.min(copy.endMs, run.nowMs) - Math.max(copy.startMs, run.startMs));
      const bytes = copy.bytes * (ranMs / (copy.endMs - copy.startMs));
      run.stagedBytes += bytes;
      run.dramBytes += 2 * bytes;
      run.busyMs.cpu += ranMs / this.cores();
    }
    recorder.counter('mapped bytes', run.nowMs, memory.windowBytes);
  }

  usefulRows(graph: OpGraph, onNpu: boolean): number {
    if (!onNpu) return 1;
    const { numbers } = this.on.stack;
    if (graph.shape.rows < numbers.matrixFromRows) return 1;
    const tile = matrixRows(this.on);
    return graph.shape.rows / (Math.ceil(graph.shape.rows / tile) * tile);
  }

  cores(): number {
    const { cpu } = this.on.profile;
    return cpu.primeCores + cpu.midCores;
  }

  /** Mid cores that do as much as the threads. */
  private speed(): number {
    return effectiveThreads(this.on.profile, this.threads(), this.on.stack.threadShares);
  }

  private threads(): number {
    return Math.min(this.on.stack.numbers.cpuThreads, this.cores());
  }
}

/** The unit an operator waits for most. */
function busiest(busyMs: readonly number[]): (typeof NPU_UNITS)[number] {
  let best = 0;
  busyMs.forEach((busy, unit) => {
    if (busy > (busyMs[best] ?? 0)) best = unit;
  });
  return NPU_UNITS[best] ?? 'dma';
}

/** How reports group operators. */
export function opLabel(op: Op): string {
  return op.kind === 'matmul' ? op.role : op.kind;
}

/** Bytes of the activations that cross a dispatch. The KV cache stays on the NPU's side. */
function sharedBytes(group: DispatchGroup, graph: OpGraph): number {
  const [only, second] = group.ops;
  if (only !== undefined && second === undefined) return ownBytes(only, graph);
  const own = new Set(group.ops.map((op) => op.id));
  const inside = new Set(group.ops.flatMap((op) => op.outputs));
  const names = new Set<string>();
  for (const op of group.ops) {
    for (const id of op.inputs) if (!inside.has(id) && graph.tensors.get(id)?.role !== 'kv') names.add(id);
    for (const id of op.outputs) {
      const consumers = graph.tensors.get(id)?.consumers ?? [];
      if (consumers.length === 0 || consumers.some((user) => !own.has(user))) names.add(id);
    }
  }
  return bytesOf(graph, [...names]);
}

/** The same for an operator alone: all it reads and writes but the KV cache. */
function ownBytes({ inputs, outputs }: Op, graph: OpGraph): number {
  let bytes = bytesOf(graph, outputs);
  inputs.forEach((id, at) => {
    if (inputs.indexOf(id) !== at) return;
    const tensor = graph.tensors.get(id);
    if (tensor !== undefined && tensor.role !== 'kv') bytes += tensor.bytes;
  });
  return bytes;
}
