import { MOST_AFTER, type Program, type TaskKind } from './program.js';
import type { NpuUnit } from './resources.js';

export interface TaskSpan {
  readonly unit: NpuUnit;
  readonly kind: TaskKind;
  readonly startMs: number;
  readonly endMs: number;
  /** Number of the task in its program, and of the task whose result it takes; negative for none. */
  readonly task: number;
  readonly from: number;
  /** Bytes of a load or store. */
  readonly bytes: number;
}

export interface ProgramResult {
  /** Time from the first start to the last end. */
  readonly ms: number;
  /** Busy time of matrix, vector, dma, l2. */
  readonly busyMs: readonly [number, number, number, number];
  /** Start and end of every task, in order of start; empty unless asked for. */
  readonly spans: readonly TaskSpan[];
  /** End of every task, by number. */
  readonly ends: Float64Array;
}

/**
 * Runs a program on idle units. A unit takes its tasks in program order, and a task comes only after tasks that were added before
 * it, so both events that start it, its unit becoming free and the last of its predecessors ending, are known when it is
 * reached: a walk in program order meets every event of the schedule, and needs no queue of them.
 * @throws Error for a task that comes after a later one
 */
export function runProgram(program: Program, withSpans = false): ProgramResult {
  const { units, kinds, ms, bytes, after, length } = program;
  const ends = new Float64Array(length);
  const busyMs: [number, number, number, number] = [0, 0, 0, 0];
  const freeMs = [0, 0, 0, 0];
  const spans: TaskSpan[] = [];
  let lastMs = 0;
  for (let task = 0; task < length; task++) {
    const unit = units[task];
    const from = task * MOST_AFTER;
    let startMs = freeMs[unit];
    for (let at = from; at < from + MOST_AFTER; at++) {
      const before = after[at];
      if (before < 0) continue;
      if (before >= task) throw new Error(`task ${task} of an operator comes after task ${before}`);
      if (ends[before] > startMs) startMs = ends[before];
    }
    const endMs = startMs + ms[task];
    ends[task] = endMs;
    freeMs[unit] = endMs;
    busyMs[unit] += ms[task];
    if (endMs > lastMs) lastMs = endMs;
    if (withSpans)
      spans.push({ unit, kind: kinds[task], startMs, endMs, task, from: after[from], bytes: bytes[task] });
  }
  // Equal starts stay in program order.
  spans.sort((a, b) => a.startMs - b.startMs);
  return { ms: lastMs, busyMs, spans, ends };
}
