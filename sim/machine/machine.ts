import {
  type BusyMs,
  RESOURCES,
  type ResourceName,
  type StepTimer,
  type StepTiming,
} from '../../src/decode/method/timer.js';
import type { StepPlan } from '../../src/pass/pass.js';
import { type PassShape, passShape } from '../../src/pass/shape.js';
import type { MemoryMap } from '../memory/runtime.js';
import { type KindOptions, kindOf, type MachineKind } from './kind.js';
import type { PartName } from './parts.js';
import { longestHeld, type PassTiming } from './pass-run.js';
import { PassTimer } from './pass-timer.js';
import { type Regime, type SideProgress, type SideShare, SideWork } from './side-work.js';
import { Recorder, type Recording, type Timeline } from './timeline.js';

/** What a machine was made of. Activations are stored as the stack does where it has a format of its own. */
export interface MachineOptions extends KindOptions {
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
  readonly parts: readonly { readonly name: PartName; readonly ms: number }[];
  /** Busy share of each resource, 0 to 1. */
  readonly utilization: Readonly<Record<ResourceName, number>>;
  /** The time by the resource that held up the main path, in ms; adds up to the step. */
  readonly critical: Readonly<Record<ResourceName, number>>;
  /**
   * The resource that held it up longest. Of an operator that is its busiest unit; of work outside the NPU, what does it.
   * The resource that is busy longest, whether anything waits for it or not, may be another.
   */
  readonly bound: ResourceName;
  /** How often the graph changed processors: each time costs a copy, and the CPU a wake-up. */
  readonly splits: number;
}

/** A chip with its software and a model on it: a clock for decodes. */
export interface Machine extends StepTimer<StepTiming> {
  /** What it was made of. */
  readonly options: MachineOptions;
  /** Names of what can be busy. */
  readonly resources: readonly ResourceName[];
  /** Times one forward pass of the given shape as the next step, without side passes. */
  timePass(shape: PassShape): StepTiming;
  /** Of the last step. @throws Error before the first step */
  stepBreakdown(): StepBreakdown;
  /** The time of each part of the last step's breakdown by the resource that held it up, in ms. */
  heldByPart(): ReadonlyMap<PartName, ReadonlyMap<ResourceName, number>>;
  /** The address window as it is now; null when it is no limit. */
  memoryMap(): MemoryMap | null;
  /** Everything recorded since the start or the last `reset`. */
  timeline(): Timeline;
  /** Back to time 0 with nothing mapped and nothing in flight. */
  reset(): void;
}

/** Times steps event by event. Made by `machine` in open-machine.ts. */
export class EventMachine implements Machine {
  readonly name: string;
  readonly resources = RESOURCES;
  readonly options: MachineOptions;
  private readonly kind: MachineKind;
  /** Made when first needed: placing the weights looks at a whole pass. */
  private passes: PassTimer | null = null;
  private readonly side: SideWork;
  private readonly recorder: Recorder;
  private nowMs = 0;
  private steps = 0;
  private last: { step: number; startMs: number; timing: PassTiming; busyMs: BusyMs } | null = null;

  /**
   * @throws UsageError when the model cannot run in the window at all: it names the tensor and the missing bytes. What
   *   only a placement finds out is raised by the first step
   */
  constructor(asked: MachineOptions) {
    const { activations } = asked.stack;
    const quant = activations === undefined ? asked.quant : { ...asked.quant, activations };
    this.options = { ...asked, quant };
    const { profile, stack, shapes, memory, placement, record } = this.options;
    const mode = memory === 'somr' && placement === 'alternating' ? 'somr-alternating' : memory;
    // The last word is older than the choice it named: results of all times name their machine alike.
    this.name = `${profile.name}/${stack.name}/${shapes.name}/${mode}/event`;
    this.kind = kindOf({ profile, stack, shapes, quant, memory, placement });
    this.recorder = new Recorder(record);
    this.side = new SideWork((regime, copying) => this.sideShare(regime, copying));
  }

  time(plan: StepPlan): StepTiming {
    const main = plan.passes.find((pass) => pass.lane === 'main');
    if (main === undefined) throw new Error(`step ${plan.step} has no main pass`);
    for (const pass of plan.passes) {
      if (pass.lane === 'side') this.side.launch(pass.id, this.kind.cpuPass(passShape(pass)));
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
    const utilization = perResource((name) => busyMs[name] / ms);
    const held = timing.spent.critical();
    const critical = perResource((name) => held.get(name) ?? 0);
    return { step, ms, parts, utilization, critical, bound: longestHeld(held), splits: timing.splits };
  }

  heldByPart(): ReadonlyMap<PartName, ReadonlyMap<ResourceName, number>> {
    if (this.last === null) throw new Error('no step was timed yet');
    return this.last.timing.spent.heldByPart();
  }

  memoryMap(): MemoryMap | null {
    return this.path(null).memory.map();
  }

  timeline(): Timeline {
    return this.recorder.timeline(this.name);
  }

  reset(): void {
    this.nowMs = 0;
    this.steps = 0;
    this.last = null;
    this.passes?.reset();
    this.side.clear();
    this.recorder.clear();
  }

  /** @param first shape of the pass that is to run, where there is one */
  private path(first: PassShape | null): PassTimer {
    this.passes ??= new PassTimer(this.kind, this.kind.memory(first), this.recorder);
    return this.passes;
  }

  /** @param joins the step ends only when the side work is done; meanwhile the main path is idle */
  private run(shape: PassShape, step: number, joins = false): StepTiming {
    const startMs = this.nowMs;
    const passes = this.path(shape);
    const main = passes.run(this.kind.pass(shape), step, startMs);
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
    const busyMs = { ...timing.busyMs };
    busyMs.cpu += side.threadMs / this.kind.cores;
    busyMs.dram += side.bytes / this.kind.rates.dramBytesPerMs;
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
        windowBytes: passes.memory.windowBytes,
        usefulRowFraction: timing.usefulRowFraction,
        matrixMacs: timing.matrixMacs,
        usefulMacs: timing.usefulMacs,
        tcmPeakBytes: timing.tcmPeakBytes,
        dispatches: timing.dispatches,
        refreshesInFlight: this.side.inFlight,
      },
    };
  }

  private sideShare(regime: Regime, copying: boolean): SideShare {
    const { numbers } = this.options.stack;
    const { cores, rates, ratesBesideCopy } = this.kind;
    const main = regime === 'cpu' ? Math.min(numbers.cpuThreads, cores) : 0;
    const threads = Math.max(0, Math.min(numbers.refreshThreads, cores - main - (copying ? 1 : 0)));
    const { cpuBesideCpuBytesPerMs, cpuBesideNpuBytesPerMs } = copying ? ratesBesideCopy : rates;
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

/** A number for each resource, in the order of reports. */
export function perResource(value: (name: ResourceName) => number): Record<ResourceName, number> {
  return Object.fromEntries(RESOURCES.map((name) => [name, value(name)])) as Record<ResourceName, number>;
}
