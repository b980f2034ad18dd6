import { wilson } from '../../src/score/statistics/proportion.js';

/** Shares of the steps at which answers are looked at, in percent. */
export const STEPS_PCT = [25, 40, 50, 60, 75, 100] as const;

/** How answers become right while they are denoised. Every share is in percent of the answers. */
export interface Emergence {
  readonly stepsPct: readonly number[];
  /** Right, read from the predictions of the step that ends that share of the steps. */
  readonly rightPct: readonly number[];
  /** 95 % interval over the answers (Wilson), widened by what the source leaves open. */
  readonly lowPct: readonly number[];
  readonly highPct: readonly number[];
  /** Right after some step, and wrong at the end. */
  readonly rightThenWrongPct: number;
  readonly rightThenWrongLowPct: number;
  readonly rightThenWrongHighPct: number;
  readonly answers: number;
}

/** Step (from 0) that ends a share of the steps. */
export function stepAt(sharePct: number, steps: number): number {
  return Math.max(0, Math.ceil((sharePct * steps) / 100) - 1);
}

/**
 * The curve of recorded answers.
 * @param answers of each, whether it was right in each step
 * @throws UsageError when there is none
 */
export function emergenceOf(answers: readonly (readonly boolean[])[]): Emergence {
  const at = STEPS_PCT.map((share) =>
    wilson(answers.filter((right) => right[stepAt(share, right.length)]).length, answers.length),
  );
  const lost = wilson(
    answers.filter((right) => right.includes(true) && right.at(-1) !== true).length,
    answers.length,
  );
  const n = answers.length;
  return {
    stepsPct: STEPS_PCT,
    rightPct: at.map(({ successes }) => (100 * successes) / n),
    lowPct: at.map(({ low }) => 100 * low),
    highPct: at.map(({ high }) => 100 * high),
    rightThenWrongPct: (100 * lost.successes) / n,
    rightThenWrongLowPct: 100 * lost.low,
    rightThenWrongHighPct: 100 * lost.high,
    answers: n,
  };
}
