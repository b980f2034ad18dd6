import { EventQueue } from './event-queue.js';
import type { Program, TaskKind } from './program.js';
import type { NpuUnit } from './resources.js';

export interface TaskSpan {
  readonly unit: NpuUnit;
  readonly kind: TaskKind;
  readonly startMs: number;
  readonly endMs: number;
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

/** Runs a program on idle units, event by event. */
export function runProgram(program: Program, withSpans = false): ProgramResult {
  const { tasks } = program;
  const waits = new Int32Array(tasks.length);
  const followers: number[][] = tasks.map(() => []);
  const queues: number[][] = [[], [], [], []];
  tasks.forEach((task, index) => {
    queues[task.unit]?.push(index);
    waits[index] = task.after.length;
    for (const before of task.after) followers[before]?.push(index);
  });

  const heads = [0, 0, 0, 0];
  const running = [false, false, false, false];
  const busyMs: [number, number, number, number] = [0, 0, 0, 0];
  const spans: TaskSpan[] = [];
  const ends = new Float64Array(tasks.length);
  const events = new EventQueue();
  const start = (unit: number, nowMs: number): void => {
    const index = queues[unit]?.[heads[unit] ?? 0];
    if (running[unit] || index === undefined || waits[index] !== 0) return;
    const task = tasks[index];
    if (task === undefined) return;
    running[unit] = true;
    heads[unit] = (heads[unit] ?? 0) + 1;
    busyMs[task.unit] += task.ms;
    events.push(nowMs + task.ms, index);
    if (withSpans) spans.push({ unit: task.unit, kind: task.kind, startMs: nowMs, endMs: nowMs + task.ms });
  };

  for (let unit = 0; unit < 4; unit++) start(unit, 0);
  let endMs = 0;
  let done = 0;
  for (let event = events.pop(); event !== undefined; event = events.pop()) {
    const { timeMs, value } = event;
    const task = tasks[value];
    if (task === undefined) break;
    endMs = timeMs;
    ends[value] = timeMs;
    done++;
    running[task.unit] = false;
    for (const follower of followers[value] ?? []) waits[follower] = (waits[follower] ?? 0) - 1;
    for (let unit = 0; unit < 4; unit++) start(unit, timeMs);
  }
  if (done !== tasks.length) throw new Error(`${tasks.length - done} tasks of an operator can never start`);
  return { ms: endMs, busyMs, spans, ends };
}
