import { chainProgram } from './chain.js';
import type { TimedKernel } from './kernel.js';
import { toProgram } from './pipeline.js';
import { NPU_UNITS, type PerUnit } from './resources.js';
import { runProgram, type TaskSpan } from './run-program.js';

/** Every task of an operator that runs alone, relative to its start, in order of start. */
export function spansAlone(kernel: TimedKernel): TaskSpan[] {
  const spans: TaskSpan[] = [];
  let passedMs = 0;
  let tasks = 0;
  for (let repeat = 0; repeat < kernel.repeats; repeat++) {
    for (const pipeline of kernel.pipelines) {
      const program = toProgram(pipeline);
      const result = runProgram(program, true);
      for (const span of result.spans) spans.push(moved(span, passedMs, tasks));
      passedMs += result.ms;
      tasks += program.length;
    }
  }
  return spans;
}

/**
 * The same of each operator of a chain, relative to the end of the one before: loads may lie before it, because weights of the
 * next operator are fetched while one still runs.
 */
export function spansOfChain(kernels: readonly TimedKernel[]): TaskSpan[][] {
  const { program, marks } = chainProgram(kernels);
  const { spans } = runProgram(program, true);
  const own = kernels.map((): TaskSpan[] => []);
  const operatorOf = (task: number): number => marks.findIndex((mark) => task < mark);
  const starts = kernels.map((_, at) => kernels.slice(0, at).reduce((sum, { ms }) => sum + ms, 0));
  for (const span of spans) {
    const at = operatorOf(span.task);
    own[at].push(moved(span, -starts[at], 0));
  }
  return own;
}

function moved(span: TaskSpan, ms: number, tasks: number): TaskSpan {
  return {
    ...span,
    startMs: span.startMs + ms,
    endMs: span.endMs + ms,
    task: span.task + tasks,
    from: span.from < 0 ? -1 : span.from + tasks,
  };
}

/**
 * Tasks of an operator that took longer than alone, because a staging copy took its share of DRAM: they begin as much later,
 * and those of a unit last as long together as the unit was busy.
 * @param ms and `busyMs` of the operator as it ran
 */
export function stretchedSpans(
  spans: readonly TaskSpan[],
  alone: TimedKernel,
  ms: number,
  busyMs: PerUnit,
): TaskSpan[] {
  if (ms === alone.ms) return [...spans];
  const pace = ms / alone.ms;
  const result: TaskSpan[] = [];
  NPU_UNITS.forEach((_, unit) => {
    const own = spans.filter((span) => span.unit === unit);
    const slower = busyMs[unit] / alone.busyMs[unit];
    const lengths = own.map(({ startMs, endMs }) => (endMs - startMs) * slower);
    const starts = own.map(({ startMs }) => startMs * pace);
    // A unit has one task at a time, and the last ends with the operator.
    for (let at = 1; at < own.length; at++)
      starts[at] = Math.max(starts[at], starts[at - 1] + lengths[at - 1]);
    let untilMs = Math.max(ms, 0);
    for (let at = own.length - 1; at >= 0; at--) {
      starts[at] = Math.min(starts[at], untilMs - lengths[at]);
      untilMs = starts[at];
    }
    own.forEach((span, at) => {
      result.push({ ...span, startMs: starts[at], endMs: starts[at] + lengths[at] });
    });
  });
  return result.sort((a, b) => a.startMs - b.startMs);
}
