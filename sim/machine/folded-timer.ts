import type { Op, OpGraph } from '../../src/model/graph.js';
import { graphFor, shapeKey } from '../../src/model/graph-cache.js';
import type { PassShape } from '../../src/pass/shape.js';
import type { MemoryMode } from '../memory/runtime.js';
import { opWeightBytes } from '../stacks/batches.js';
import { operatorStarts } from '../stacks/stack.js';
import { type FoldedModel, foldModel } from './fold-model.js';
import { type FoldedWindow, type SteadyMemory, steadyMemory } from './folded-memory.js';
import type { FoldedOp, FoldedPass } from './folded-order.js';
import { contextCosts, kvBytesPerToken, type ModelOnChip } from './memory-context.js';
import { PassRun, type PassTiming } from './pass-run.js';
import { type PassResources, PassTimer, type PreparedGroup, type PreparedOp } from './pass-timer.js';
import { NPU_UNITS } from './resources.js';
import { splitAtCopies } from './side-work.js';

/** Operators that a pass without logits runs in its last layer too: it stops at the keys and values. */
const UNTIL_KV = /\.(attn_norm|attn_k|attn_v|attn_k_norm|k_rope)$/;

/**
 * Closed form of a whole pass: every operator of one layer of each kind times the number of such layers, and the steady
 * state of the memory runtime. Nothing is simulated and nothing has state, so a shape is computed once.
 */
export class FoldedTimer {
  private readonly passes: PassTimer;
  private readonly model: FoldedModel;
  private readonly known = new Map<string, { timing: PassTiming; memory: SteadyMemory | null }>();
  /** Bytes mapped in the last pass. */
  windowBytes = 0;

  constructor(
    private readonly on: PassResources,
    private readonly chip: ModelOnChip & { readonly mode: MemoryMode },
  ) {
    this.passes = new PassTimer(on);
    this.model = foldModel(chip.model);
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
      regime: span.regime,
      copying: span.copying,
      startMs: span.startMs + startMs,
      endMs: span.endMs + startMs,
    }));
    return { ...timing, regimes, endMs: timing.endMs + startMs };
  }

  private compute(shape: PassShape, step: number): { timing: PassTiming; memory: SteadyMemory | null } {
    const { config, counts } = this.model;
    const { model, precision } = this.chip;
    // Weights that a pass without logits does not read take room all the same, so its graph is that of a whole pass.
    const headless = shape.logitsRows === 0;
    const cut = headless && model.timed === undefined;
    const graph = graphFor(config, headless ? { ...shape, logitsRows: 1 } : shape, precision);
    const count = (op: Op): number => (op.layer === null ? 1 : (counts[op.layer] ?? 0));
    const times = (op: Op): number => {
      if (op.layer === null) return headless && op.kind !== 'embed' ? 0 : 1;
      return cut && !UNTIL_KV.test(op.id) ? count(op) - 1 : count(op);
    };
    const fold: Fold = { graph, count, times, cut, headless };
    const { groups } = this.passes.prepare(graph);
    const run = new PassRun(0, step, this.on.recorder);
    const npu = groups.filter(({ device }) => device === 'npu').flatMap(({ ops }) => ops);
    const load = this.load(groups, fold);
    const { mode } = this.chip;
    const memory =
      npu.length === 0 || mode === 'unlimited'
        ? null
        : steadyMemory(this.window(mode, load.sessions), this.pass(groups, fold));
    if (memory !== null) run.memoryWork({ readyMs: 0, ...memory });
    if (npu.length > 0) this.dispatch(load, npu[0]?.op, run, memory?.mapOps ?? 0);
    for (const prepared of npu) this.npuOp(prepared, times(prepared.op), run, memory?.copyShare ?? 0);
    for (const { device, ops } of groups) {
      if (device !== 'npu') for (const op of ops) this.passes.hostOp(op, device, run, times(op.op));
    }
    this.passes.finishPass(groups, graph, run, !headless);
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

  /** What dispatching the pass takes. */
  private load(groups: readonly PreparedGroup[], { graph, count: countOf, times }: Fold): Load {
    const { stack, profile } = this.on;
    let count = 0;
    let starts = 0;
    let weightBytes = 0;
    let sharedBytes = 0;
    for (const group of groups) {
      if (group.device !== 'npu') continue;
      let own = 0;
      for (const { op } of group.ops) {
        own += times(op);
        starts += times(op) * operatorStarts(op, stack);
        weightBytes += countOf(op) * opWeightBytes(graph, op, stack.numbers);
      }
      count += own;
      sharedBytes += group.sharedBytes * (this.perOp ? own : 1);
    }
    const sessions = stack.sessions(weightBytes, profile);
    const calls = this.perOp ? count : Math.max(sessions, Math.ceil(count / stack.numbers.batchOps));
    return { starts, calls, sharedBytes, sessions };
  }

  /** Every operator is a dispatch of its own. */
  private get perOp(): boolean {
    return this.on.stack.numbers.batchOps === 1;
  }

  private get callMs(): number {
    const { remoteCall, queueBatch } = this.on.profile.driver;
    return this.on.stack.dispatch === 'remote-call' ? remoteCall : queueBatch;
  }

  private dispatch(load: Load, op: Op | undefined, run: PassRun, mapOps: number): void {
    const { numbers } = this.on.stack;
    // A mapping ends a batch.
    const calls = load.calls + (this.perOp ? 0 : mapOps);
    run.driver('dispatch', calls * this.callMs, op);
    run.dispatches += calls;
    run.driver('cache maintenance', (load.sharedBytes / 1e6) * this.on.profile.driver.cacheMaintenance, op);
    run.driver('operator start', load.starts * numbers.opStartMs, op);
  }

  private pass(groups: readonly PreparedGroup[], fold: Fold): FoldedPass {
    const { graph, count, times, cut, headless } = fold;
    const { stack, profile } = this.on;
    const ops = groups.flatMap(({ device, ops: members, sharedBytes }): FoldedOp[] => {
      const onNpu = device === 'npu';
      const flushMs = (sharedBytes / 1e6) * profile.driver.cacheMaintenance;
      const dispatchMs = this.perOp ? this.callMs + flushMs : 0;
      return members.map((prepared) => ({
        prepared,
        onNpu,
        count: count(prepared.op),
        times: times(prepared.op),
        beforeMs: onNpu
          ? dispatchMs + operatorStarts(prepared.op, stack) * stack.numbers.opStartMs
          : this.passes.hostMs(prepared, device),
      }));
    });
    const finish = new PassRun(0, 0, this.on.recorder);
    this.passes.finishPass(groups, graph, finish, !headless);
    return { graph, ops, sequence: this.model.sequence, cut, afterMs: finish.nowMs };
  }

  /** @param share of the time beside a staging copy */
  private npuOp(
    { op, label, kernel, besideCopy }: PreparedOp,
    times: number,
    run: PassRun,
    share: number,
  ): void {
    if (kernel === null || besideCopy === null || times === 0) return;
    let busiest = 0;
    let most = 0;
    for (let unit = 0; unit < NPU_UNITS.length; unit++) {
      const [alone, beside] = [kernel.busyMs[unit as 0], besideCopy.busyMs[unit as 0]];
      const busy = times * (alone + share * (beside - alone));
      run.busyMs[NPU_UNITS[unit as 0]] += busy;
      if (busy <= most) continue;
      most = busy;
      busiest = unit;
    }
    const ms = times * (kernel.ms + share * (besideCopy.ms - kernel.ms));
    run.advance(`NPU ${label}`, ms, 'npu', NPU_UNITS[busiest as 0]);
    run.dmaBytes += times * kernel.dmaBytes;
    run.dramBytes += times * (kernel.dmaBytes + kernel.l2Bytes);
    run.matrixMacs += times * kernel.matrixMacs;
    run.usefulMacs += times * op.macs;
    run.tcmPeakBytes = Math.max(run.tcmPeakBytes, kernel.tcmPeakBytes);
  }

  private window(mode: FoldedWindow['mode'], sessions: number): FoldedWindow {
    const { profile, stack } = this.chip;
    const { numbers } = stack;
    const { alignment, maxMap, mapperEntries, bytes } = profile.window;
    return {
      mode,
      costs: contextCosts(profile, this.on.rates),
      window: { bytes: bytes * sessions, alignment, maxMap, mapperEntries },
      maxBufferBytes: numbers.maxBufferBytes,
      slotBytes: numbers.slotBytes,
      kvGrowthTokens: numbers.kvGrowthTokens,
      kvBytesPerToken: kvBytesPerToken(this.chip),
      passRows: numbers.prefillRows,
    };
  }
}

/** A pass in terms of the folded graph. */
interface Fold {
  readonly graph: OpGraph;
  /** How often the model has an operator, and how often the pass runs it. */
  readonly count: (op: Op) => number;
  readonly times: (op: Op) => number;
  /** Without logits: no head, and the last of equal layers stops at its keys and values. */
  readonly headless: boolean;
  readonly cut: boolean;
}

/** What a pass hands to the NPU. */
interface Load {
  /** Starts of operators, and the calls that make them. */
  readonly starts: number;
  readonly calls: number;
  /** Activations that the host flushes or invalidates. */
  readonly sharedBytes: number;
  /** Windows that share the weights. */
  readonly sessions: number;
}
