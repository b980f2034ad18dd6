import type { Op, OpGraph, PassShape } from '../../src/model/graph.js';
import { graphFor, shapeKey } from '../../src/model/graph-cache.js';
import { npuWeightBytes } from '../stacks/batches.js';
import { foldModel } from './fold-model.js';
import { type FoldedWindow, type SteadyMemory, steadyMemory } from './folded-memory.js';
import { contextCosts, kvBytesPerToken, type ModelOnChip } from './memory-context.js';
import type { NpuUnits } from './npu-unit.js';
import { PassRun, type PassTiming } from './pass-run.js';
import { type PassResources, PassTimer, type PreparedGroup, type PreparedOp } from './pass-timer.js';
import { NPU_UNITS } from './resources.js';
import { splitAtCopies } from './side-work.js';

/** Operators that a pass without logits runs in its last layer too: it stops at the keys and values. */
const UNTIL_KV = /\.(attn_norm|attn_k|attn_v|attn_k_norm|k_rope)$/;

/**
 * Closed form of a whole pass: every operator of one layer times the number of layers, and the steady state of the
 * memory runtime. Nothing is simulated and nothing has state, so a shape is computed once.
 */
export class FoldedTimer {
  private readonly passes: PassTimer;
  private readonly known = new Map<string, { timing: PassTiming; memory: SteadyMemory | null }>();
  /** Bytes mapped in the last pass. */
  windowBytes = 0;

  constructor(
    private readonly on: PassResources & { readonly npu: NpuUnits },
    private readonly chip: ModelOnChip & Pick<FoldedWindow, 'mode'>,
  ) {
    this.passes = new PassTimer(on);
  }

  run(shape: PassShape, step: number, startMs: number): PassTiming {
    const key = shapeKey(shape);
    let known = this.known.get(key);
    if (known === undefined) {
      known = this.compute(shape, step);
      this.known.set(key, known);
    }
    this.windowBytes = known.memory?.windowBytes ?? 0;
    const { timing } = known;
    const regimes = timing.regimes.map((span) => ({
      ...{ ...span, startMs: span.startMs + startMs, endMs: span.endMs + startMs },
    }));
    return { ...timing, regimes, endMs: timing.endMs + startMs };
  }

  private compute(shape: PassShape, step: number): { timing: PassTiming; memory: SteadyMemory | null } {
    const { config, layers } = foldModel(this.chip.model);
    const full: PassShape = shape.logitsRows === 0 && layers > 1 ? { ...shape, logitsRows: 1 } : shape;
    const graph = graphFor(config, full, this.chip.precision);
    const cut = full !== shape;
    const times = (op: Op): number => {
      if (op.layer === null) return cut && op.kind !== 'embed' ? 0 : 1;
      return cut && !UNTIL_KV.test(op.id) ? layers - 1 : layers;
    };
    const { groups } = this.passes.prepare(graph);
    const run = new PassRun(0, step, this.on.recorder);
    const npu = groups.filter(({ device }) => device === 'npu').flatMap(({ ops }) => ops);
    // Copies run beside operators and beside their dispatch.
    const alone = new PassRun(0, step, this.on.recorder);
    for (const group of groups) if (group.device === 'npu') this.npuGroup(group, graph, times, alone, null);
    const host = new PassRun(0, step, this.on.recorder);
    this.hostWork(groups, graph, times, host, cut);
    const npuOps = npu.map(({ op }) => op);
    const memory =
      npu.length === 0
        ? null
        : steadyMemory(this.window(graph, npuOps, times), graph, npuOps, times, alone.nowMs, host.nowMs);
    if (memory !== null) run.memoryWork({ readyMs: 0, ...memory });
    for (const group of groups) if (group.device === 'npu') this.npuGroup(group, graph, times, run, memory);
    this.hostWork(groups, graph, times, run, cut);
    const copying = memory === null || memory.copyMs === 0 ? [] : [{ startMs: 0, endMs: memory.copyMs }];
    if (memory !== null && memory.copyMs > 0) {
      run.stagedBytes = memory.stagedBytes;
      run.dramBytes += 2 * memory.stagedBytes;
      run.busyMs.cpu += Math.min(memory.copyMs, run.nowMs) / this.passes.cores();
    }
    const timing = run.finish(
      this.passes.usefulRows(graph, npu.length > 0),
      this.on.rates.dramBytesPerMs,
      splitAtCopies(run.regimes, copying),
    );
    return { timing, memory };
  }

  private hostWork(
    groups: readonly PreparedGroup[],
    graph: OpGraph,
    times: (op: Op) => number,
    run: PassRun,
    cut: boolean,
  ): void {
    for (const { device, ops } of groups) {
      if (device !== 'npu') for (const op of ops) this.passes.hostOp(op, device, run, times(op.op));
    }
    this.passes.finishPass(groups, graph, run, !cut);
  }

  private npuGroup(
    { ops, sharedBytes }: PreparedGroup,
    graph: OpGraph,
    times: (op: Op) => number,
    run: PassRun,
    memory: SteadyMemory | null,
  ): void {
    const { stack, profile } = this.on;
    const { driver } = profile;
    const count = ops.reduce((sum, { op }) => sum + times(op), 0);
    const perOp = stack.numbers.batchOps === 1;
    const batches = Math.max(this.sessions(graph, times), Math.ceil(count / stack.numbers.batchOps));
    // A mapping ends a batch.
    const calls = perOp ? count : batches + (memory?.mapOps ?? 0);
    const op = ops[0]?.op;
    run.driver(
      'dispatch',
      calls * (stack.dispatch === 'remote-call' ? driver.remoteCall : driver.queueBatch),
      op,
    );
    run.dispatches += calls;
    run.driver('cache maintenance', (sharedBytes / 1e6) * driver.cacheMaintenance * (perOp ? count : 1), op);
    run.driver('operator start', count * stack.numbers.opStartMs, op);
    for (const prepared of ops) this.npuOp(prepared, times(prepared.op), run, memory?.copyShare ?? 0);
  }

  /** @param share of the time beside a staging copy */
  private npuOp(
    { op, label, kernel, besideCopy }: PreparedOp,
    times: number,
    run: PassRun,
    share: number,
  ): void {
    if (kernel === null || besideCopy === null || times === 0) return;
    const mixed = (alone: number, beside: number): number => times * (alone + share * (beside - alone));
    const busy = kernel.busyMs.map((ms, unit) => mixed(ms, besideCopy.busyMs[unit as 0] ?? ms));
    run.advance(
      `NPU ${label}`,
      mixed(kernel.ms, besideCopy.ms),
      'npu',
      NPU_UNITS[busy.indexOf(Math.max(...busy))] ?? 'dma',
    );
    busy.forEach((ms, unit) => {
      run.busyMs[NPU_UNITS[unit as 0]] += ms;
    });
    run.dmaBytes += times * kernel.dmaBytes;
    run.dramBytes += times * (kernel.dmaBytes + kernel.l2Bytes);
    run.matrixMacs += times * kernel.matrixMacs;
    run.usefulMacs += times * op.macs;
    run.tcmPeakBytes = Math.max(run.tcmPeakBytes, kernel.tcmPeakBytes);
  }

  private sessions(graph: OpGraph, times: (op: Op) => number): number {
    const { stack, profile } = this.on;
    const bytes = graph.ops
      .filter((op) => op.kind !== 'embed')
      .reduce((sum, op) => sum + times(op) * npuWeightBytes(graph, [op], stack.numbers), 0);
    return stack.sessions(bytes, profile);
  }

  private window(graph: OpGraph, ops: readonly Op[], times: (op: Op) => number): FoldedWindow {
    const { profile, stack, mode } = this.chip;
    const { numbers } = stack;
    const bytes = ops.reduce((sum, op) => sum + times(op) * npuWeightBytes(graph, [op], numbers), 0);
    return {
      ...{ mode, costs: contextCosts(profile, this.on.rates) },
      window: { ...profile.window, bytes: profile.window.bytes * stack.sessions(bytes, profile) },
      ...{ maxBufferBytes: numbers.maxBufferBytes, slotBytes: numbers.slotBytes },
      ...{ kvGrowthTokens: numbers.kvGrowthTokens, kvBytesPerToken: kvBytesPerToken(this.chip) },
    };
  }
}
