import type { StepTiming } from '../../src/decode/method/timer.js';
import { type Energy, energyOf } from '../energy/energy.js';
import type { Machine, StepBreakdown } from '../machine/machine.js';
import { fasterSmallerWindow, type SmallerWindow } from '../machine/smaller-window.js';
import { denoisingShape } from './steady-step.js';

/** What a denoising step of some rows costs. */
export interface TimedRows extends Pick<StepBreakdown, 'ms' | 'bound' | 'utilization' | 'parts' | 'splits'> {
  readonly rows: number;
  readonly counters: StepTiming['counters'];
  readonly energy: Energy;
  /** Null when none is faster; undefined where none was tried. */
  readonly fasterWindow?: SmallerWindow | null;
}

/** Steps that are timed one by one. */
export interface RowSettings {
  /** Numbers of rows. */
  readonly rows: readonly number[];
  /** Cached positions that the rows attend to. */
  readonly context: number;
  /** Rows that get logits. Default: all. */
  readonly logitsRows?: number;
}

/** More numbers of rows than this are a sweep: only its ends are looked at with smaller windows. */
export const FEW_ROWS = 8;

/**
 * Times steps by their number of rows, each on a machine that has just run the same step.
 * @throws the signal's reason between two numbers of rows
 */
export function timeRows(machine: Machine, settings: RowSettings, signal?: AbortSignal): TimedRows[] {
  const { rows, context, logitsRows } = settings;
  return rows.map((count, at) => {
    signal?.throwIfAborted();
    const shape = denoisingShape(count, context, logitsRows);
    machine.reset();
    machine.timePass(shape);
    const timing = machine.timePass(shape);
    const { ms, bound, utilization, parts, splits } = machine.stepBreakdown();
    const energy = energyOf([timing], machine.options.profile);
    const tried = rows.length <= FEW_ROWS || at === 0 || at === rows.length - 1;
    const fasterWindow = tried ? fasterSmallerWindow(machine, shape, timing) : undefined;
    return {
      rows: count,
      ms,
      bound,
      utilization,
      parts,
      splits,
      counters: timing.counters,
      energy,
      fasterWindow,
    };
  });
}
