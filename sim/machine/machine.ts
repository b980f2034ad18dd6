import type { StepTimer, StepTiming } from '../../src/decode/method/timer.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph, Precision } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import type { StepPlan } from '../../src/pass/pass.js';
import type { PassShape } from '../../src/pass/shape.js';
import { passShape } from '../../src/pass/shape.js';
import type { HardwareProfile } from '../hardware/schema.js';
import { createMemory } from '../memory/create-memory.js';
import type { MemoryMap, MemoryMode, MemoryRuntime } from '../memory/runtime.js';
import type { PlacementReading } from '../memory/somr.js';
import type { SoftwareStack } from '../stacks/stack.js';
import type { CpuWork } from './cpu-model.js';
import { cpuWork } from './lower/index.js';
import { checkWindow, type ModelOnChip, mayStage, memoryContext } from './memory-context.js';
import { NpuUnits } from './npu-unit.js';
import type { PassTiming } from './pass-run.js';
import { type PassResources, PassTimer } from './pass-timer.js';
import { type Rates, ratesOf } from './rates.js';
import { RESOURCES } from './resources.js';
import { type Regime, type SideProgress, type SideShare, SideWork } from './side-work.js';
import { Recorder, type Recording, type Timeline } from './timeline.js';

/** What a machine was made of. */
export interface MachineOptions {
  /** The chip. */
  readonly profile: HardwareProfile;
  /** The software on it. */
  readonly stack: SoftwareStack;
  /** The model whose shapes are timed. */
  readonly shapes: ModelConfig;
  /** Storage format of each kind of tensor; activations are those of the stack where it has its own. */
  readonly quant: Precision;
  /** How weights beyond the address window come in. */
  readonly memory: MemoryMode;
  /** Which weights are residents. */
  readonly placement: PlacementReading;
  /** How much of the timeline is kept. */
  readonly record: Recording;
}

/** Where the time of a step went; the parts add up to the step. */
export interface StepBreakdown {
  /** From 0. */
  readonly step: number;
  /** Simulated length of the step. */
  readonly ms: number;
  /** By operator group, longest first, in ms. */
  readonly parts: readonly { readonly name: string; readonly ms: number }[];
  /** Busy share of each resource, 0 to 1. */
  readonly utilization: Readonly<Record<string, number>>;
  /** The time by the resource that held up the main path, in ms; adds up to the step. */
  readonly critical: Readonly<Record<string, number>>;
  /** The resource that held it up longest. */
  readonly bound: string;
}

/** A chip with its software and a model on it: a clock for decodes. */
export interface Machine extends StepTimer {
  /** What it was made of. */
  readonly options: MachineOptions;
  /** Names of what can be busy. */
  readonly resources: readonly string[];
  /** Times one forward pass of the given shape as the next step, without side passes. */
  timePass(shape: PassShape): StepTiming;
  /** Of the last step. @throws Error before the first step */
  stepBreakdown(): StepBreakdown;
  /** The resource that held up each part of the last step's breakdown longest. */
  boundOfParts(): ReadonlyMap<string, string>;
  /** The address window as it is now; null when it is no limit. */
  memoryMap(): MemoryMap | null;
  /** Everything recorded since the start or the last `reset`. */
  timeline(): Timeline;
  /** Back to time 0 with nothing mapped and nothing in flight. */
  reset(): void;
}

/**
 * @throws UsageError when the model cannot run in the window at all (raised by the first step: it names the
 *   tensor and the missing bytes)
 */
export function createMachine(options: MachineOptions): Machine {
  return new EventMachine(options);
}

/** Whether a staging copy slows the NPU's own traffic down. */
function sharesDram(alone: Rates, besideCopy: Rates): boolean {
  return (
    alone.dmaBytesPerMs !== besideCopy.dmaBytesPerMs || alone.directBytesPerMs !== besideCopy.directBytesPerMs
  );
}

class EventMachine implements Machine {
  readonly name: string;
  readonly resources = RESOURCES;
  private readonly rates: Rates;
  /** While a staging copy runs. */
  private readonly ratesBesideCopy: Rates;
  /** Main-path CPU operators leave a copy its share for as long as there may be one. */
  private readonly mainCpuRates: Rates;
  private readonly npu: NpuUnits;
  private readonly npuBesideCopy: NpuUnits;
  /** Made when first needed: placing the weights looks at a whole pass. */
  private placed: { memory: MemoryRuntime; passes: PassTimer } | null = null;
  private readonly side: SideWork;
  private readonly recorder: Recorder;
  private nowMs = 0;
  private steps = 0;
  private last: { step: number; startMs: number; timing: PassTiming; busyMs: Record<string, number> } | null =
    null;

  readonly options: MachineOptions;
  private readonly chip: ModelOnChip;

  constructor(asked: MachineOptions) {
    const { activations } = asked.stack;
    const quant = activations === undefined ? asked.quant : { ...asked.quant, activations };
    const options = { ...asked, quant };
    this.options = options;
    const { profile, stack, shapes, memory, placement, record } = options;
    this.chip = { profile, stack, model: shapes, precision: quant };
    const mode = memory === 'somr' && placement === 'alternating' ? 'somr-alternating' : memory;
    // The last word is older than the choice it named: results of all times name their machine alike.
    this.name = `${profile.name}/${stack.name}/${shapes.name}/${mode}/event`;
    this.rates = ratesOf(profile, false, stack.weightStream);
    this.ratesBesideCopy = ratesOf(profile, true, stack.weightStream);
    const stages = memory === 'somr' && mayStage(this.chip);
    this.mainCpuRates = stages ? this.ratesBesideCopy : this.rates;
    this.recorder = new Recorder(record);
    this.npu = new NpuUnits({ profile, stack, rates: this.rates });
    this.npuBesideCopy =
      memory === 'somr' && sharesDram(this.rates, this.ratesBesideCopy)
        ? new NpuUnits({ profile, stack, rates: this.ratesBesideCopy })
        : this.npu;
    // A window that fits nothing is refused here, not in the first step.
    if (memory !== 'unlimited') checkWindow(this.chip);
    this.side = new SideWork((regime, copying) => this.sideShare(regime, copying));
  }

  private unitsWith(memory: MemoryRuntime): PassResources {
    const { profile, stack } = this.options;
    const { npu, npuBesideCopy, recorder } = this;
    return { profile, stack, npu, npuBesideCopy, rates: this.mainCpuRates, memory, recorder };
  }

  /** @param pass a graph that is there anyway */
  private place(pass?: OpGraph): { memory: MemoryRuntime; passes: PassTimer } {
    if (this.placed === null) {
      const context = memoryContext(this.chip, this.rates, this.npu, pass);
      const memory = createMemory(this.options.memory, context, this.options.placement);
      this.placed = { memory, passes: new PassTimer(this.unitsWith(memory)) };
    }
    return this.placed;
  }

  time(plan: StepPlan): StepTiming {
    const main = plan.passes.find((pass) => pass.lane === 'main');
    if (main === undefined) throw new Error(`step ${plan.step} has no main pass`);
    for (const pass of plan.passes) {
      if (pass.lane === 'side') this.side.launch(pass.id, this.cpuPassWork(passShape(pass)));
    }
    return this.run(passShape(main), plan.step, plan.joins === true);
  }

  timePass(shape: PassShape): StepTiming {
    return this.run(shape, this.steps);
  }

  stepBreakdown(): StepBreakdown {
    if (this.last === null) throw new Error('no step was timed yet');
    const { step, startMs, timing, busyMs } = this.last;
    const ms = timing.endMs - startMs;
    const parts = [...timing.spent.breakdown()].map(([name, part]) => ({ name, ms: part }));
    parts.sort((a, b) => b.ms - a.ms || (a.name < b.name ? -1 : 1));
    const utilization = Object.fromEntries(RESOURCES.map((name) => [name, (busyMs[name] ?? 0) / ms]));
    const held = timing.spent.critical();
    const critical = Object.fromEntries(RESOURCES.map((name) => [name, held.get(name) ?? 0]));
    const bound = RESOURCES.reduce((best, name) =>
      (critical[name] ?? 0) > (critical[best] ?? 0) ? name : best,
    );
    return { step, ms, parts, utilization, critical, bound };
  }

  boundOfParts(): ReadonlyMap<string, string> {
    if (this.last === null) throw new Error('no step was timed yet');
    return this.last.timing.spent.partBounds();
  }

  memoryMap(): MemoryMap | null {
    return this.place().memory.map();
  }

  timeline(): Timeline {
    return this.recorder.timeline(this.name);
  }

  reset(): void {
    this.nowMs = 0;
    this.steps = 0;
    this.last = null;
    this.placed?.memory.reset();
    this.placed?.passes.reset();
    this.side.clear();
    this.recorder.clear();
  }

  /** @param joins the step ends only when the side work is done; meanwhile the main path is idle */
  private run(shape: PassShape, step: number, joins = false): StepTiming {
    const startMs = this.nowMs;
    const main = this.event(this.graphFor(shape), step, startMs);
    const wait = {
      regime: 'npu',
      copying: false,
      startMs: main.endMs,
      endMs: Number.POSITIVE_INFINITY,
    } as const;
    const side = this.side.advance(joins ? [...main.regimes, wait] : main.regimes);
    const timing = joins
      ? { ...main, endMs: Math.max(main.endMs, ...side.spans.map((span) => span.endMs)) }
      : main;
    const { cpu } = this.options.profile;
    const busyMs = { ...timing.busyMs };
    busyMs.cpu += side.threadMs / (cpu.primeCores + cpu.midCores);
    busyMs.dram += side.bytes / this.rates.dramBytesPerMs;
    this.recordSide(side, step);
    this.recorder.step(step, startMs, timing.endMs);
    this.nowMs = timing.endMs;
    this.steps++;
    this.last = { step, startMs, timing, busyMs };
    return {
      startMs,
      endMs: timing.endMs,
      completed: side.completed,
      busyMs,
      counters: {
        dmaBytes: timing.dmaBytes,
        dramBytes: timing.dramBytes + side.bytes,
        mappedBytes: timing.mappedBytes,
        stagedBytes: timing.stagedBytes,
        mapOps: timing.mapOps,
        windowBytes: this.place().memory.windowBytes,
        usefulRowFraction: timing.usefulRowFraction,
        matrixMacs: timing.matrixMacs,
        usefulMacs: timing.usefulMacs,
        tcmPeakBytes: timing.tcmPeakBytes,
        dispatches: timing.dispatches,
        refreshesInFlight: this.side.inFlight,
      },
    };
  }

  private event(graph: OpGraph, step: number, startMs: number): PassTiming {
    return this.place(graph).passes.run(graph, step, startMs);
  }

  private graphFor(shape: PassShape): OpGraph {
    return graphFor(this.options.shapes, shape, this.options.quant);
  }

  /** A pass that runs on CPU cores as a whole. */
  private cpuPassWork(shape: PassShape): CpuWork {
    const { profile, stack } = this.options;
    const graph = this.graphFor(shape);
    let singleThreadMs = 0;
    let bytes = 0;
    for (const op of graph.ops) {
      const work = cpuWork(op, graph, profile, stack.numbers);
      singleThreadMs += work.singleThreadMs;
      bytes += work.bytes;
    }
    return { singleThreadMs, bytes };
  }

  private sideShare(regime: Regime, copying: boolean): SideShare {
    const { profile, stack } = this.options;
    const cores = profile.cpu.primeCores + profile.cpu.midCores;
    const main = regime === 'cpu' ? Math.min(stack.numbers.cpuThreads, cores) : 0;
    const threads = Math.max(0, Math.min(stack.numbers.refreshThreads, cores - main - (copying ? 1 : 0)));
    const { cpuBesideCpuBytesPerMs, cpuBesideNpuBytesPerMs } = copying ? this.ratesBesideCopy : this.rates;
    return { threads, bytesPerMs: regime === 'cpu' ? cpuBesideCpuBytesPerMs : cpuBesideNpuBytesPerMs };
  }

  private recordSide(side: SideProgress, step: number): void {
    for (const { id, startMs, endMs } of side.spans) {
      const busyMs = endMs - startMs;
      this.recorder.span({
        track: 'refresh',
        name: `refresh ${id}`,
        category: 'refresh',
        layer: null,
        step,
        startMs,
        endMs,
        busyMs,
      });
    }
  }
}
