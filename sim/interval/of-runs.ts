import { UsageError } from '../../src/errors.js';
import type { Machine } from '../machine/machine.js';
import { type Chip, machine as openMachine } from '../open-machine.js';
import { drawsOf } from './draws.js';
import { type FormSpread, type FurtherSpread, formSpread } from './form.js';
import { COVERAGE, type Interval, spreadInterval } from './interval.js';

/** A duration at the defaults. */
export interface Duration {
  readonly ms: number;
  /** What widens its interval, beside the class of the software. */
  readonly further: readonly FurtherSpread[];
}

/** What intervals hold. */
export interface Held {
  /** Share of runs that should lie in an interval. */
  readonly share: number;
  readonly draws: number;
  /** Draws in which the work does not fit the window: a phone on which it runs is not that one. */
  readonly dropped: number;
  /** Spreads of the form that were used, each once. */
  readonly forms: readonly FormSpread[];
}

/** Intervals of durations in ms, in their order. */
export interface RunIntervals {
  readonly intervals: readonly Interval[];
  readonly held: Held;
}

/**
 * Intervals of durations: the middle 80 % over draws of heat and of all numbers that have a range, each spread by the form of the
 * model. Draws and spreads are those of `simulate validate`; a number that was set has no range.
 * @param measure the same durations on a chip of a draw, in ms
 * @throws the signal's reason between two draws; UsageError when no draw can run the work
 */
export function chipIntervals(
  chip: Chip,
  durations: readonly Duration[],
  measure: (chip: Chip) => readonly number[],
  signal?: AbortSignal,
): RunIntervals {
  const draws = drawsOf([[chip]]);
  const drawn = draws.flatMap((draw) => {
    signal?.throwIfAborted();
    try {
      return [measure(draw.chip).map((ms) => Math.log(ms * draw.slowdown))];
    } catch (error) {
      if (error instanceof UsageError) return [];
      throw error;
    }
  });
  if (drawn.length === 0) throw new UsageError('the work fits in none of the draws behind its interval');
  const forms = durations.map(({ further }) => formSpread(chip.stack, further));
  return {
    intervals: durations.map(({ ms }, at) =>
      spreadInterval(
        ms,
        drawn.map((logs) => logs[at]),
        forms[at].deviation,
      ),
    ),
    held: {
      share: COVERAGE,
      draws: draws.length,
      dropped: draws.length - drawn.length,
      forms: forms.filter(
        ({ deviation }, at) => forms.findIndex((form) => form.deviation === deviation) === at,
      ),
    },
  };
}

/** A machine of a kind with the chip of a draw. */
export function onChip(options: Machine['options'], chip: Chip): Machine {
  return openMachine({ ...options, ...chip, record: 'none' });
}

/** The same of work on a machine. @param measure on a machine of its kind with the chip of a draw */
export function machineIntervals(
  { options }: Machine,
  durations: readonly Duration[],
  measure: (machine: Machine) => readonly number[],
  signal?: AbortSignal,
): RunIntervals {
  return chipIntervals(
    { profile: options.profile, stack: options.stack },
    durations,
    (chip) => measure(onChip(options, chip)),
    signal,
  );
}
