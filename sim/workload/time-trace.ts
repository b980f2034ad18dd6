import type { ResourceName, StepTiming } from '../../src/decode/method/timer.js';
import { replayTrace, type Trace } from '../../src/decode/trace/trace.js';
import { CheckError } from '../../src/errors.js';
import { type Energy, energyOf } from '../energy/energy.js';
import { type Machine, perResource, type StepBreakdown } from '../machine/machine.js';

/** A recorded decode, timed: its decisions are those of the trace. */
export interface TimedTrace {
  readonly totalMs: number;
  /** Busy share of each resource, 0 to 1. */
  readonly utilization: StepBreakdown['utilization'];
  /** First step from which a live decode could go another way; null when there is none. */
  readonly divergesAt: number | null;
  readonly steps: readonly {
    readonly step: number;
    readonly ms: number;
    readonly counters: StepTiming['counters'];
  }[];
  readonly energy: Energy;
}

/** @throws CheckError for a trace without steps */
export function timeTrace(trace: Trace, machine: Machine): TimedTrace {
  const { timings, totalMs, divergesAt } = replayTrace(trace, machine);
  if (timings.length === 0) throw new CheckError('the trace has no steps to time');
  const busyShare = (name: ResourceName): number =>
    timings.reduce((sum, { busyMs }) => sum + busyMs[name], 0) / totalMs;
  return {
    totalMs,
    utilization: perResource(busyShare),
    divergesAt,
    steps: timings.map(({ startMs, endMs, counters }, step) => ({ step, ms: endMs - startMs, counters })),
    energy: energyOf(timings, machine.options.profile),
  };
}
