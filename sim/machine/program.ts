import type { NpuUnit } from './resources.js';

/** What a task of an operator does; reports and timelines name it. */
export type TaskKind = 'load' | 'convert' | 'decode' | 'multiply' | 'vector' | 'store';

/** A piece of work on one unit, not interruptible. */
export interface Task {
  readonly unit: NpuUnit;
  readonly kind: TaskKind;
  readonly ms: number;
  /** Tasks that must be finished before: data they produce, or buffers they free. */
  readonly after: readonly number[];
}

/**
 * The tasks of one operator. Each unit starts its tasks in program order (queues are in order), a task when its
 * unit is free and all of `after` is finished. Buffer reuse is part of `after`: chunk i + 2 waits for chunk i
 * to leave its slot.
 */
export class Program {
  readonly tasks: Task[] = [];

  /** Appends a task and returns its number. Negative numbers in `after` mean "no such task". */
  add(unit: NpuUnit, kind: TaskKind, ms: number, after: readonly number[]): number {
    this.tasks.push({ unit, kind, ms, after: after.filter((task) => task >= 0) });
    return this.tasks.length - 1;
  }
}
