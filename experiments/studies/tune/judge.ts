import { type Difference, pairedDifference } from '../../../src/score/statistics/paired.js';
import { simultaneousZ, wilson, Z_95 } from '../../../src/score/statistics/proportion.js';
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
  /** Means over the problems, those of time and energy with their 95 % intervals. */
  readonly seconds: number;
  readonly secondsRange: readonly [number, number];
  readonly joules: number;
  readonly joulesRange: readonly [number, number];
  readonly forwards: number;
  readonly exact: { readonly share: number; readonly low: number; readonly high: number };
  /** Share of problems right here minus right with the baseline, paired, with an interval that holds for all candidates together in 95 % of cases. */
  readonly difference: Difference;
  /** The interval lies above -3 points. */
  readonly nonInferior: boolean;
  /** No other non-inferior policy is at least as good in latency, quality and energy and better in one. */
  readonly onFront: boolean;
}

/** Mean with its 95 % interval by the normal approximation, of no width for one sample. */
function meanRange(values: readonly number[]): { mean: number; range: readonly [number, number] } {
  const center = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
  const half = values.length < 2 ? 0 : Z_95 * Math.sqrt(squares / (values.length - 1) / values.length);
  return { mean: center, range: [center - half, center + half] };
}

/**
 * Every candidate but the baseline is compared with it: the intervals are widened so that all of them hold together.
 * @param samples of each candidate over the same problems; the first candidate is the baseline
 */
export function judge(candidates: readonly Candidate[], samples: readonly (readonly Sample[])[]): Judged[] {
  const base = samples[0].map(({ exact }) => exact);
  const z = simultaneousZ(Math.max(1, candidates.length - 1));
  const rows = candidates.map((candidate, i): Judged => {
    const own = samples[i];
    const right = own.map(({ exact }) => exact);
    const { low, high } = wilson(right.filter(Boolean).length, right.length);
    const difference = pairedDifference(right, base, z);
    const seconds = meanRange(own.map((each) => each.seconds));
    const joules = meanRange(own.map((each) => each.joules));
    return {
      policy: candidate.name,
      problems: own.length,
      seconds: seconds.mean,
      secondsRange: seconds.range,
      joules: joules.mean,
      joulesRange: joules.range,
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
