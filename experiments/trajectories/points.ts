import type { ProcessParameters } from '../lab/deciders/synthetic/process.js';
import { type RecordedState, rowsOf } from './rows.js';
import { shareAbove } from './share-above.js';

/** One number of a file of trajectories, and what a process says about it, both in percent of the rows. */
export interface ProcessPoint {
  readonly name: string;
  readonly processPct: number;
  readonly recordedPct: number;
  readonly rows: number;
}

/** Masked positions directly to the left: from, to. */
const GAPS = [
  [0, 0],
  [1, 3],
  [4, 15],
  [16, 63],
  [64, Number.POSITIVE_INFINITY],
] as const;
const THRESHOLDS = [0.5, 0.7, 0.9] as const;

/** Fewer rows say nothing. */
const LEAST_ROWS = 50;

/** How sure masked positions are, by the masks to the left of them: recorded, and by a process in the same contexts. */
export function processPoints(
  parameters: ProcessParameters,
  states: readonly RecordedState[],
): ProcessPoint[] {
  const rows = rowsOf(states, parameters);
  return GAPS.flatMap(([from, to]) => {
    const own = rows.filter(({ gap }) => gap >= from && gap <= to);
    if (own.length < LEAST_ROWS) return [];
    const masks =
      from === to ? String(from) : to === Number.POSITIVE_INFINITY ? `${from} or more` : `${from} to ${to}`;
    return THRESHOLDS.map((threshold) => ({
      name: `confidence ${threshold} or more, ${masks} masks to the left`,
      processPct: 100 * shareAbove(parameters, own, threshold),
      recordedPct: (100 * own.filter(({ confidence }) => confidence >= threshold).length) / own.length,
      rows: own.length,
    }));
  });
}

/** Root of the mean square of the differences, in points of percent. */
export function difference(points: readonly ProcessPoint[]): number {
  const squares = points.map(({ processPct, recordedPct }) => (processPct - recordedPct) ** 2);
  return Math.sqrt(squares.reduce((a, b) => a + b, 0) / squares.length);
}
