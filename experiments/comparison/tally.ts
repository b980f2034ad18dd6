import type { ReproducedRow } from './result.js';

/** How many bands rows kept, and how far they are from the paper. */
export interface Tally {
  readonly met: number;
  readonly missed: number;
  /** Of the absolute relative errors, the lower of two middle ones; null where no value is predicted. */
  readonly medianError: number | null;
  readonly largestError: number | null;
}

export function tally(rows: readonly ReproducedRow[]): Tally {
  const errors = rows.flatMap(({ error }) => (error === null ? [] : [Math.abs(error)])).sort((a, b) => a - b);
  return {
    met: rows.filter(({ pass }) => pass === true).length,
    missed: rows.filter(({ pass }) => pass === false).length,
    medianError: errors[Math.floor((errors.length - 1) / 2)] ?? null,
    largestError: errors.at(-1) ?? null,
  };
}
