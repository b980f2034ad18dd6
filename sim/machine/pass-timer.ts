import type { MemoryRuntime, SlotUse } from '../memory/runtime.js';
import type { TimedKernel } from './kernel.js';
import type { MachineKind } from './kind.js';
import { stretched } from './npu-unit.js';
import { PassRun, type PassTiming } from './pass-run.js';
import { type HostWork, type NamedOp, type NpuWork, type PreparedPass, SAME_DISPATCH } from './prepare.js';
import { MATRIX, NPU_UNITS, type NpuUnit, type PerUnit } from './resources.js';
import { splitAtCopies } from './side-work.js';
import { stretchedSpans } from './task-spans.js';
import type { Recorder } from './timeline.js';

const UNITS = [0, 1, 2, 3] as const satisfies readonly NpuUnit[];

/** Runs passes on the main path: dispatch, mapping, NPU operators, CPU operators, one after the other. */
export class PassTimer {
  /** Staging copies that are not over yet. */
  private copies: SlotUse[] = [];
  private readonly callMs: number;
  private readonly matrixMacsPerMs: number;

  constructor(
    private readonly kind: MachineKind,
    readonly memory: MemoryRuntime,
    private readonly recorder: Recorder,
  ) {
    const { profile, stack } = kind.options;
    const { remoteCall, queueBatch } = profile.driver;
    this.matrixMacsPerMs = kind.rates.matrixMacsPerMs * stack.numbers.matrixRate;
    this.callMs = stack.dispatch === 'remote-call' ? remoteCall : queueBatch;
  }

  /** Forgets what is mapped and copies in flight. */
  reset(): void {
    this.copies = [];
    this.memory.reset();
  }

  /** @param step number shown in the timeline */
  run(pass: PreparedPass, step: number, startMs: number): PassTiming {
    const { memory, kind } = this;
    const run = new PassRun(startMs, step, this.recorder);
    const onNpu = pass.ops.length > 0;
    run.splits = pass.splits;
    run.driver('host pass', kind.options.stack.numbers.passHostMs, null);
    if (onNpu) run.memoryWork(memory.beginPass(pass, startMs));
    let next = 0;
    for (let at = 0; at < pass.all.length; at++) {
      const op = pass.all[at];
      const work = pass.work[at];
      if (pass.copyMs[at] >= 0) {
        run.driver('split', kind.options.stack.numbers.splitMs, op);
        run.driver('copy', pass.copyMs[at], op);
      }
      if (at === pass.wakesAt) run.driver('wake-up', kind.options.stack.numbers.cpuWakeMs, op);
      if (work.device === 'npu') this.npuOp(op, work, pass.maintenanceMs[at], next++, run);
      else this.hostOp(op, work, run);
    }
    this.finishPass(pass, run);
    if (onNpu) this.endMemory(run);
    const regimes = splitAtCopies(run.regimes, this.copies);
    this.copies = this.copies.filter((copy) => copy.endMs > run.nowMs);
    return run.finish(pass.usefulRowFraction, kind.rates.dramBytesPerMs, regimes);
  }

  /**
   * Operators of a dispatch run back to back. Where one needs a mapping first, the batch ends: the rest is dispatched
   * when the driver has mapped its operands.
   * @param maintenanceMs of the dispatch that the operator begins, or `SAME_DISPATCH`
   * @param index among the operators on the NPU
   */
  private npuOp(op: NamedOp, work: NpuWork, maintenanceMs: number, index: number, run: PassRun): void {
    const { memory } = this;
    const ready = memory.before(index, run.nowMs);
    run.memoryWork(ready);
    const begins = maintenanceMs !== SAME_DISPATCH;
    if (begins || ready.mapMs > 0) {
      run.driver('dispatch', this.callMs, op);
      run.dispatches++;
    }
    if (begins) run.driver('cache maintenance', maintenanceMs, op);
    run.driver('operator start', work.startMs, op);
    this.compute(op, work, run);
    memory.after(index, run.nowMs);
  }

  private compute(op: NamedOp, { part, macs, kernel, besideCopy }: NpuWork, run: PassRun): void {
    const startMs = run.nowMs;
    const { ms, busyMs } = stretched(kernel, besideCopy, this.memory.copies(startMs), startMs);
    run.advance(part, ms, 'npu', NPU_UNITS[busiest(busyMs)]);
    const [matrix, vector, dma, l2] = busyMs;
    run.busyMs.matrix += matrix;
    run.busyMs.vector += vector;
    run.busyMs.dma += dma;
    run.busyMs.l2 += l2;
    this.record(op, kernel, ms, busyMs, startMs, run);
    run.dmaBytes += kernel.dmaBytes;
    run.dramBytes += kernel.dmaBytes + kernel.l2Bytes;
    run.matrixMacs += kernel.matrixMacs;
    run.usefulMacs += macs;
    run.tcmPeakBytes = Math.max(run.tcmPeakBytes, kernel.tcmPeakBytes);
  }

  private record(
    op: NamedOp,
    kernel: TimedKernel,
    ms: number,
    busyMs: PerUnit,
    startMs: number,
    run: PassRun,
  ): void {
    const { recorder } = this;
    if (recorder.level === 'op') {
      for (const unit of UNITS) {
        const busy = busyMs[unit];
        if (busy > 0)
          run.record(NPU_UNITS[unit], op.id, op.label, op, startMs, run.nowMs, Math.min(busy, ms));
      }
    } else if (recorder.level === 'chunk') {
      const tasks = stretchedSpans(this.kind.npu.spans(kernel), kernel, ms, busyMs);
      const first = recorder.number(1 + tasks.reduce((most, { task }) => Math.max(most, task), 0));
      for (const { unit, kind, startMs: from, endMs, task, from: source, bytes } of tasks) {
        const track = NPU_UNITS[unit];
        run.record(track, `${op.id} ${kind}`, op.label, op, startMs + from, startMs + endMs, endMs - from, {
          task: first + task,
          from: source < 0 ? undefined : first + source,
          bytes: bytes > 0 ? bytes : undefined,
          macs: unit === MATRIX ? (endMs - from) * this.matrixMacsPerMs : undefined,
        });
      }
    }
    recorder.counter('TCM bytes', startMs, kernel.tcmPeakBytes);
    recorder.counter('NPU DRAM GB/s', startMs, (kernel.dmaBytes + kernel.l2Bytes) / ms / 1e6);
  }

  private hostOp(op: NamedOp, { device, part, hostMs, hostBytes }: HostWork, run: PassRun): void {
    if (device === 'gpu') run.gpu(part, op.label, op, hostMs);
    else run.cpu(part, op.id, op.label, op, hostMs, this.kind.coreShare);
    run.dramBytes += hostBytes;
  }

  /** What follows the last operator: the wait for a GPU, and the choice of tokens. */
  private finishPass({ work, sampling }: PreparedPass, run: PassRun): void {
    if (work.some(({ device }) => device === 'gpu'))
      run.gpu('GPU finish', 'finish', null, this.kind.options.profile.gpu.finish);
    if (sampling === null) return;
    run.cpu('CPU sampling', 'sampling', 'sampling', null, sampling.ms, this.kind.coreShare);
    run.dramBytes += sampling.bytes;
  }

  /** Books staging copies as far as they ran within this pass; the rest of a copy belongs to the next one. */
  private endMemory(run: PassRun): void {
    const { memory, recorder } = this;
    for (const use of memory.endPass(run.nowMs)) {
      if (use.access === 'read') continue;
      this.copies.push(use);
      run.record('staging', `slot ${use.slot}`, 'copy', null, use.startMs, use.endMs);
    }
    for (const copy of this.copies) {
      const ranMs = Math.max(0, Math.min(copy.endMs, run.nowMs) - Math.max(copy.startMs, run.startMs));
      const bytes = copy.bytes * (ranMs / (copy.endMs - copy.startMs));
      run.stagedBytes += bytes;
      run.dramBytes += 2 * bytes;
      run.busyMs.cpu += ranMs / this.kind.cores;
    }
    recorder.counter('mapped bytes', run.nowMs, memory.windowBytes);
  }
}

/** The unit an operator waits for most; of equal ones the first. */
function busiest(busyMs: PerUnit): NpuUnit {
  let best: NpuUnit = 0;
  for (const unit of UNITS) if (busyMs[unit] > busyMs[best]) best = unit;
  return best;
}
