import type { StepPlan } from '../../pass/pass.js';

/** When the passes of a step ran, in simulated milliseconds since the start of the decode. */
export interface StepTiming {
  /** Simulated ms since the start of the decode. */
  readonly startMs: number;
  /** Boundary of the step: the main pass and its decisions are done. */
  readonly endMs: number;
  /** Ids of side passes (of this or earlier steps) that were finished at `endMs`. */
  readonly completed: readonly string[];
  /** Busy time per resource within [startMs, endMs]. Keys are the machine's resource names. */
  readonly busyMs: Readonly<Record<string, number>>;
  /** Further per-step numbers of the machine, unit in the name (`dmaBytes`, `mappedBytes`, `usefulRows`...). */
  readonly counters: Readonly<Record<string, number>>;
}

/**
 * The clock of a decode. A machine model implements it; without one the session assumes that every side pass
 * ends with the step that launched it.
 */
export interface StepTimer {
  /** As in traces. */
  readonly name: string;
  /** A plan that joins ends with its side passes: all of them are completed. Called once per step in order; keeps state (side work still running, mapped weights) between calls. */
  time(plan: StepPlan): StepTiming;
}
