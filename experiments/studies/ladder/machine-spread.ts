import { drawsOf } from '../../../sim/interval/draws.js';
import { formSpread } from '../../../sim/interval/form.js';
import { type Interval, spreadInterval } from '../../../sim/interval/interval.js';
import { onChip } from '../../../sim/interval/of-runs.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { denoisingShape, steadyMs } from '../../../sim/workload/steady-step.js';
import { UsageError } from '../../../src/errors.js';
import { LADDER, type LadderRow } from './ladder.js';

/** A step that stands for the answer of a row: in the middle of it, with the rows of a mean step. */
export interface RowStep {
  readonly rows: number;
  /** Cached positions. */
  readonly context: number;
  /** Rows that get logits. */
  readonly logitsRows: number;
}

/** What is not known of the machine, for the rows of the ladder; cases and their decisions stay as they are. */
export interface MachineSpread {
  /** 80 % interval of a row's seconds. @param row index in the ladder */
  seconds(row: number, seconds: number): Interval;
  /**
   * 80 % interval of the seconds of one row over those of another, each draw taken for both. Where both rows run on one stack,
   * the form of the model divides out and what is left are the numbers.
   */
  ratio(over: number, under: number, ratio: number): Interval;
}

/**
 * Intervals of the ladder over the machine: the draws of `simulate step`, each row's step taken anew on every one of them. What
 * a draw does to a row is found on one step that stands for it.
 * @param machineOf of a row, at the defaults
 * @param steps one per row of the ladder
 * @throws UsageError when no draw can run every row; the signal's reason between two draws
 */
export function machineSpread(
  machineOf: (row: LadderRow) => Machine,
  steps: readonly RowStep[],
  signal?: AbortSignal,
): MachineSpread {
  const rows = LADDER.map((row, at) => {
    const machine = machineOf(row);
    const { rows: width, context, logitsRows } = steps[at];
    return { machine, shape: denoisingShape(width, context, logitsRows), ...machine.options };
  });
  const base = rows.map(({ machine, shape }) => steadyMs(machine, shape));
  // Conditions and numbers of the chip come first in a draw: rows of different stacks get the same ones.
  const draws = rows.map(({ profile, stack }) => drawsOf([[{ profile, stack }]]));
  const ratios = draws[0].flatMap((_, draw) => {
    signal?.throwIfAborted();
    const known = new Map<string, number>();
    try {
      return [
        rows.map(({ machine, shape }, row) => {
          const { chip, slowdown } = draws[row][draw];
          const { stack, memory } = LADDER[row];
          const key = JSON.stringify([stack, memory, shape]);
          const ms = known.get(key) ?? steadyMs(onChip(machine.options, chip), shape);
          known.set(key, ms);
          return Math.log((ms * slowdown) / base[row]);
        }),
      ];
    } catch (error) {
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
  if (ratios.length === 0) throw new UsageError('the ladder fits in none of the draws behind its intervals');
  const form = rows.map(({ stack }) => formSpread(stack, []).deviation);
  return {
    seconds: (row, seconds) =>
      spreadInterval(
        seconds,
        ratios.map((logs) => Math.log(seconds) + logs[row]),
        form[row],
      ),
    ratio: (over, under, ratio) => {
      const logs = ratios.map((each) => Math.log(ratio) + each[over] - each[under]);
      const oneStack = LADDER[over].stack === LADDER[under].stack;
      return spreadInterval(ratio, logs, oneStack ? NO_FORM : Math.hypot(form[over], form[under]));
    },
  };
}

/** No spread of the form; the mixture needs some width. */
const NO_FORM = 1e-6;
