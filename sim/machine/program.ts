import type { NpuUnit } from './resources.js';

/** What a task of an operator does; reports and timelines name it. */
export type TaskKind = 'load' | 'convert' | 'decode' | 'multiply' | 'vector' | 'store';

/** Most tasks that one task may wait for. */
export const MOST_AFTER = 4;

/**
 * The tasks of one operator: pieces of work on one unit, not interruptible. Each unit starts its tasks in program
 * order (queues are in order), a task when its unit is free and all it comes after is finished. Buffer reuse is part
 * of that: chunk i + 2 waits for chunk i to leave its slot. Kept in columns, because an operator has up to some
 * thousand tasks.
 */
export class Program {
  readonly units: NpuUnit[] = [];
  readonly kinds: TaskKind[] = [];
  readonly ms: number[] = [];
  /** Bytes that a load or store moves; 0 elsewhere, and where the operator does not say. */
  readonly bytes: number[] = [];
  /** `MOST_AFTER` entries a task; negative where there is none. */
  readonly after: number[] = [];

  get length(): number {
    return this.units.length;
  }

  /**
   * Appends a task and returns its number. `a` to `d` must be finished before; negative is "no such task". `a` hands its
   * result on; the others free a buffer or keep the order.
   */
  add(unit: NpuUnit, kind: TaskKind, ms: number, bytes = 0, a = -1, b = -1, c = -1, d = -1): number {
    const index = this.units.push(unit) - 1;
    this.kinds.push(kind);
    this.ms.push(ms);
    this.bytes.push(bytes);
    this.after.push(a, b, c, d);
    return index;
  }
}
