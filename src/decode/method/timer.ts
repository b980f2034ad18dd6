import type { StepPlan } from '../../pass/pass.js';

/**
 * What can be busy. `l2` is the path on which vector threads read DRAM without DMA; `cpu` is the average over
 * all cores; `dram` is bytes moved over the rate all readers together can get.
 */
export const RESOURCES = ['matrix', 'vector', 'dma', 'l2', 'cpu', 'gpu', 'driver', 'dram'] as const;
export type ResourceName = (typeof RESOURCES)[number];

/** Busy time per resource, in ms. */
export type BusyMs = Readonly<Record<ResourceName, number>>;

/** What a step moved, computed and asked the driver for, in the order in which reports show it. */
export const COUNTERS = [
  /** Bytes moved by DMA between DRAM and TCM. */
  'dmaBytes',
  /** Bytes read and written in DRAM by everything, side work included. */
  'dramBytes',
  /** Bytes of buffers mapped into the address window during the step. */
  'mappedBytes',
  /** Bytes copied into staging slots. */
  'stagedBytes',
  /** Mappings made. */
  'mapOps',
  /** Bytes mapped at the end of the step. */
  'windowBytes',
  /** Rows of the pass over rows the matrix unit computed; 1 when it computed none. */
  'usefulRowFraction',
  /** Multiply-accumulates the matrix unit performed, padding included. */
  'matrixMacs',
  /** Multiply-accumulates of the operators on the NPU, padding left out. */
  'usefulMacs',
  /** Most TCM that an operator held, in bytes. */
  'tcmPeakBytes',
  /** Calls that handed work to the NPU. */
  'dispatches',
  /** Side passes not finished at the end of the step. */
  'refreshesInFlight',
] as const;
export type CounterName = (typeof COUNTERS)[number];
/** See `COUNTERS`; the unit is in each name. */
export type StepCounters = Readonly<Record<CounterName, number>>;

/** When the passes of a step ran, in simulated milliseconds since the start of the decode. */
export interface StepTimes {
  /** Simulated ms since the start of the decode. */
  readonly startMs: number;
  /** Boundary of the step: the main pass and its decisions are done. */
  readonly endMs: number;
  /** Ids of side passes (of this or earlier steps) that were finished at `endMs`. */
  readonly completed: readonly string[];
  /** Busy time within [startMs, endMs], of a machine that knows it. */
  readonly busyMs?: BusyMs;
  /** Work within the step, of a machine that knows it. */
  readonly counters?: StepCounters;
}

/** What a machine says of a step: all of it, so that nothing derived from it (energy, utilization) lacks a term. */
export interface StepTiming extends StepTimes {
  /** Busy time within [startMs, endMs], in ms. */
  readonly busyMs: BusyMs;
  /** Work within the step. */
  readonly counters: StepCounters;
}

/** Whether a machine said it: a clock of another kind knows only when a step began and ended. */
export function isStepTiming(times: StepTimes | null): times is StepTiming {
  return times?.busyMs !== undefined && times.counters !== undefined;
}

/**
 * The clock of a decode. A machine model implements it; without one the session assumes that every side pass
 * ends with the step that launched it.
 */
export interface StepTimer<T extends StepTimes = StepTimes> {
  /** As in traces. */
  readonly name: string;
  /** A plan that joins ends with its side passes: all of them are completed. Called once per step in order; keeps state (side work still running, mapped weights) between calls. */
  time(plan: StepPlan): T;
}
