import type { EngineComparison } from '../../src/engine/compare/compare-engines.js';
import type { RunNumerics } from '../choices.js';

/**
 * Logits between best and second best below which a format is expected to turn a decision. Single precision in another
 * order of summation is off by some 1e-5; halves by some tenths (docs/devices.md has what was seen); weights of 4 and 8
 * bits with one scale per channel by more.
 */
export const NEAR_TIES: Readonly<Record<RunNumerics, number>> = {
  f32: 0.001,
  f16: 0.25,
  w8a16: 1,
  w4a16: 1,
  'as stored': 1,
};

export interface Verdict {
  readonly agrees: boolean;
  /** What was found against it, in words. Empty when it agrees. */
  readonly reasons: readonly string[];
}

/**
 * Whether a device decides as the reference does. Near-ties may turn; so may the order of decisions when a confidence
 * lies near its threshold, and what follows from it. Any other decision is a difference.
 */
export function verdictOf(compared: Pick<EngineComparison, 'agreement' | 'answers' | 'nearTie'>): Verdict {
  const { agreement, answers, nearTie } = compared;
  const reasons: string[] = [];
  const all = agreement.find(({ state }) => state === 'all');
  if (all !== undefined && !Number.isFinite(all.maxLogitError + all.klMax)) {
    reasons.push('the device gave logits that are no finite numbers');
  }
  const turned = all?.differentBeyondNearTies ?? 0;
  if (all !== undefined && turned > 0) {
    const margin = all.largestMarginTurned?.toPrecision(2);
    reasons.push(
      `${turned} of ${all.rows} rows have another best token though the reference's margin is at least ${nearTie} (up to ${margin})`,
    );
  }
  for (const { problem, parting } of answers) {
    const margin = parting?.referenceMargin ?? 0;
    if (parting?.kind !== 'token' || margin < nearTie) continue;
    const { step, position, token, expected } = parting;
    reasons.push(
      `problem ${problem} parts at step ${step}, position ${position}: token ${token} instead of ${expected}, margin ${margin.toPrecision(2)}`,
    );
  }
  return { agrees: reasons.length === 0, reasons };
}
