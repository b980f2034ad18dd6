import type { Machine } from '../machine/machine.js';
import { denoisingShape, steadyMs } from '../workload/steady-step.js';
import type { RowSettings } from '../workload/time-rows.js';
import type { FurtherSpread } from './form.js';
import { machineIntervals, type RunIntervals } from './of-runs.js';

/** Numbers of rows that every draw runs; of a longer sweep, the others take the ratio to the default from their neighbours. */
export const MOST_DRAWN = 16;

/** What one pass of some rows adds to its spread. */
function furtherOf(rows: number): readonly FurtherSpread[] {
  return rows === 1 ? ['a token at a time'] : [];
}

/** Intervals of steps that were timed. @throws as `machineIntervals` */
export function stepIntervals(
  machine: Machine,
  steps: readonly { readonly rows: number; readonly ms: number }[],
  { context, logitsRows }: Omit<RowSettings, 'rows'>,
  signal?: AbortSignal,
): RunIntervals {
  const byRows = [...steps].sort((a, b) => a.rows - b.rows);
  const drawn = spreadOut(byRows, MOST_DRAWN);
  return machineIntervals(
    machine,
    steps.map(({ ms, rows }) => ({ ms, further: furtherOf(rows) })),
    (other) => {
      const ratios = drawn.map(
        ({ rows, ms }) => steadyMs(other, denoisingShape(rows, context, logitsRows)) / ms,
      );
      return steps.map(({ rows, ms }) => ms * ratioAt(rows, drawn, ratios));
    },
    signal,
  );
}

/** At most so many of a list, both ends among them. */
function spreadOut<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]);
}

/**
 * Linear between the neighbours of a number of rows.
 * @param at ascending; `rows` lies between its ends
 */
export function ratioAt(
  rows: number,
  at: readonly { readonly rows: number }[],
  ratios: readonly number[],
): number {
  const above = at.findIndex((point) => point.rows >= rows);
  if (at[above].rows === rows) return ratios[above];
  const [before, after] = [at[above - 1].rows, at[above].rows];
  const share = (rows - before) / (after - before);
  return ratios[above - 1] * (1 - share) + ratios[above] * share;
}
