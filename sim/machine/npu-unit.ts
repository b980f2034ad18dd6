import type { Op, OpGraph } from '../../src/model/graph.js';
import { type Kernel, kernelKey, type LowerContext, lower } from './kernel.js';
import { busyOf, closedFormMs, toProgram } from './pipeline.js';
import { runProgram, type TaskSpan } from './run-program.js';

/** A timed operator on the NPU, starting on idle units. */
export interface TimedKernel extends Kernel {
  readonly ms: number;
  /** matrix, vector, dma, l2. */
  readonly busyMs: readonly [number, number, number, number];
}

export type Fidelity = 'event' | 'analytic';

/**
 * Times operators on the NPU. Dispatch per operator leaves the units idle in between, so equal operators take
 * equal time and each is simulated once.
 */
export class NpuUnits {
  private readonly timed = new Map<string, TimedKernel>();

  constructor(
    private readonly context: LowerContext,
    private readonly fidelity: Fidelity,
  ) {}

  time(op: Op, graph: OpGraph): TimedKernel {
    const key = kernelKey(op, graph);
    let timed = this.timed.get(key);
    if (timed === undefined) {
      timed = this.simulate(lower(op, graph, this.context));
      this.timed.set(key, timed);
    }
    return timed;
  }

  /** Every chunk of an operator that runs alone, relative to its start. */
  spans(kernel: Kernel): TaskSpan[] {
    const spans: TaskSpan[] = [];
    let offsetMs = 0;
    for (const pipeline of kernel.pipelines) {
      const result = runProgram(toProgram(pipeline), true);
      for (const span of result.spans) {
        spans.push({ ...span, startMs: span.startMs + offsetMs, endMs: span.endMs + offsetMs });
      }
      offsetMs += result.ms;
    }
    return spans;
  }

  private simulate(kernel: Kernel): TimedKernel {
    let ms = 0;
    const busyMs: [number, number, number, number] = [0, 0, 0, 0];
    // An expert's matrices are the same pipeline object again and again.
    const known = new Map<object, number>();
    for (const pipeline of kernel.pipelines) {
      let each = known.get(pipeline);
      if (each === undefined) {
        each = this.fidelity === 'event' ? runProgram(toProgram(pipeline)).ms : closedFormMs(pipeline);
        known.set(pipeline, each);
      }
      ms += each;
      busyOf(pipeline).forEach((busy, unit) => {
        busyMs[unit as 0 | 1 | 2 | 3] += busy;
      });
    }
    return { ...kernel, ms, busyMs };
  }
}

/** A stretch of time, in ms. */
interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * An operator that starts at `startMs` while staging copies run: it progresses at one pace beside a copy and at
 * another without.
 * @param copies in order, not overlapping
 */
export function stretched(
  alone: TimedKernel,
  besideCopy: TimedKernel,
  copies: readonly Interval[],
  startMs: number,
): Pick<TimedKernel, 'ms' | 'busyMs'> {
  if (copies.length === 0 || besideCopy.ms === alone.ms) return alone;
  let left = 1;
  let slow = 0;
  let nowMs = startMs;
  const work = (paceMs: number, untilMs: number): number => {
    const spentMs = Math.max(0, Math.min(left * paceMs, untilMs - nowMs));
    const done = Math.min(left, spentMs / paceMs);
    left -= done;
    nowMs += spentMs;
    return done;
  };
  for (const copy of copies) {
    work(alone.ms, copy.startMs);
    slow += work(besideCopy.ms, copy.endMs);
  }
  const ms = nowMs - startMs + left * alone.ms;
  const mix = (unit: 0 | 1 | 2 | 3): number =>
    (1 - slow) * alone.busyMs[unit] + slow * besideCopy.busyMs[unit];
  return { ms, busyMs: [mix(0), mix(1), mix(2), mix(3)] };
}
