import { type Difference, pairedDifference } from '../../../src/score/statistics/paired.js';
import { wilson } from '../../../src/score/statistics/proportion.js';
import { mean } from '../../../src/score/statistics/samples.js';
import type { Candidate } from './space.js';

/** Quality that may be lost, as a share of problems. */
export const MARGIN = 0.03;
/** Fewest problems on which non-inferiority is claimed: 80 % power for 3 points at 18 % discordance. */
export const MIN_PROBLEMS = 1600;

/** One problem under one candidate. */
export interface Sample {
  readonly exact: boolean;
  readonly seconds: number;
  readonly joules: number;
  readonly forwards: number;
}

export interface Judged {
  readonly policy: string;
  readonly problems: number;
  readonly seconds: number;
  readonly joules: number;
  readonly forwards: number;
  readonly exact: { readonly share: number; readonly low: number; readonly high: number };
  /** Share of problems right here minus right with the baseline, paired, with its 95 % interval. */
  readonly difference: Difference;
  /** The interval lies above -3 points. */
  readonly nonInferior: boolean;
  /** No other non-inferior policy is at least as good in latency, quality and energy and better in one. */
  readonly onFront: boolean;
}

/** @param samples of each candidate over the same problems; the first candidate is the baseline */
export function judge(candidates: readonly Candidate[], samples: readonly (readonly Sample[])[]): Judged[] {
  const base = samples[0].map(({ exact }) => exact);
  const rows = candidates.map((candidate, i): Judged => {
    const own = samples[i];
    const right = own.map(({ exact }) => exact);
    const { low, high } = wilson(right.filter(Boolean).length, right.length);
    const difference = pairedDifference(right, base);
    return {
      policy: candidate.name,
      problems: own.length,
      seconds: mean(own.map(({ seconds }) => seconds)),
      joules: mean(own.map(({ joules }) => joules)),
      forwards: mean(own.map(({ forwards }) => forwards)),
      exact: { share: mean(right.map(Number)), low, high },
      difference,
      nonInferior: i === 0 || difference.low > -MARGIN,
      onFront: false,
    };
  });
  return rows.map((row) => ({
    ...row,
    onFront: row.nonInferior && !rows.some((other) => dominates(other, row)),
  }));
}

function dominates(a: Judged, b: Judged): boolean {
  if (!a.nonInferior) return false;
  const noWorse = a.seconds <= b.seconds && a.joules <= b.joules && a.exact.share >= b.exact.share;
  return noWorse && (a.seconds < b.seconds || a.joules < b.joules || a.exact.share > b.exact.share);
}

/**
 * Which candidates of the screening are worth confirming: the fastest of those whose loss was within the margin, then
 * the fastest of those whose loss might be.
 * @param judged of the screening, baseline and full system first
 * @returns indices; the first `always` are always among them
 */
export function shortlist(judged: readonly Judged[], always: number, count: number): number[] {
  const fixed = Array.from({ length: Math.min(always, judged.length) }, (_, i) => i);
  const rest = judged
    .map((row, index) => ({ row, index }))
    .filter(({ row, index }) => index >= always && row.difference.high > -MARGIN)
    .sort((a, b) => rank(a.row) - rank(b.row) || a.row.seconds - b.row.seconds || a.index - b.index)
    .slice(0, count);
  return [...fixed, ...rest.map(({ index }) => index)];
}

const rank = ({ difference }: Judged): number => (difference.value > -MARGIN ? 0 : 1);
