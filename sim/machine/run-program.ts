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

const UNITS = [0, 1, 2, 3] as const;

/**
 * Runs a program on idle units, event by event. A unit has one task at a time, so the events to come are at most four:
 * the end of each unit's task. Earliest first; equal times in order of start, so that a program has exactly one outcome.
 */
export function runProgram(program: Program, withSpans = false): ProgramResult {
  const { units, kinds, ms, bytes, after, queues, length } = program;
  const ends = new Float64Array(length).fill(Number.NaN);
  const busyMs: [number, number, number, number] = [0, 0, 0, 0];
  const spans: TaskSpan[] = [];
  /** Per unit: place in its queue, the running task or -1, its end, and the order of its start. */
  const heads = [0, 0, 0, 0];
  const running = [-1, -1, -1, -1];
  const endsAt = [0, 0, 0, 0];
  const started = [0, 0, 0, 0];
  let starts = 0;
  const finished = (task: number): boolean => task < 0 || !Number.isNaN(ends[task]);
  const startAll = (nowMs: number): void => {
    for (const unit of UNITS) {
      if (running[unit] >= 0) continue;
      const queue = queues[unit];
      const head = heads[unit];
      if (head >= queue.length) continue;
      const task = queue[head];
      const from = task * MOST_AFTER;
      let ready = true;
      for (let at = from; ready && at < from + MOST_AFTER; at++) ready = finished(after[at]);
      if (!ready) continue;
      const spent = ms[task];
      heads[unit] = head + 1;
      running[unit] = task;
      endsAt[unit] = nowMs + spent;
      started[unit] = starts++;
      busyMs[unit] += spent;
      if (withSpans)
        spans.push({
          unit,
          kind: kinds[task],
          startMs: nowMs,
          endMs: nowMs + spent,
          task,
          from: after[from],
          bytes: bytes[task],
        });
    }
  };

  startAll(0);
  let endMs = 0;
  let done = 0;
  for (; done < length; done++) {
    let next = -1;
    for (const unit of UNITS) {
      if (running[unit] < 0) continue;
      const earlier = next < 0 || endsAt[unit] < endsAt[next];
      const tie = next >= 0 && endsAt[unit] === endsAt[next];
      if (earlier || (tie && started[unit] < started[next])) next = unit;
    }
    if (next < 0) break;
    endMs = endsAt[next];
    ends[running[next]] = endMs;
    running[next] = -1;
    startAll(endMs);
  }
  if (done !== length) throw new Error(`${units.length - done} tasks of an operator can never start`);
  return { ms: endMs, busyMs, spans, ends };
}
