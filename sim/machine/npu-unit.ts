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

  /** Every chunk of an operator, relative to its start. */
  spans(op: Op, graph: OpGraph): TaskSpan[] {
    const spans: TaskSpan[] = [];
    let offsetMs = 0;
    for (const pipeline of lower(op, graph, this.context).pipelines) {
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
