import { z } from 'zod';
import type { RowOutcome } from '../../../pass/pass.js';
import type { CommitFacts } from '../facts.js';
import { overBaseline } from '../ladder.js';
import type { Verdict } from '../rule.js';

/** A threshold on a confidence; above 1 nothing reaches it. */
export const unit = z.number().min(0).max(2);

/** Thresholds that law tests draw. */
export const THRESHOLDS = [0.1, 0.3, 0.5, 0.7, 0.9, 1.01] as const;

/** What a rule says that commits final tokens by their confidence. */
export const FINAL_TOKENS: CommitFacts = { stages: null, revocable: false, bar: 0.9 };

/** What committing several tokens in one step is sold as. */
export const PARALLEL_COMMIT = overBaseline('parallel commit', 'commit');

/** Highest confidence first; ties go to the lowest position. */
export function byConfidence(a: RowOutcome, b: RowOutcome): number {
  return b.confidence - a.confidence || a.position - b.position;
}

export function best(scores: readonly RowOutcome[]): RowOutcome {
  return scores.reduce((a, b) => (byConfidence(a, b) <= 0 ? a : b));
}

/** A final token where a rule says so. */
export function committed(score: RowOutcome): Verdict {
  return { ...score, state: 'S', reason: 'commit' };
}

/** What passes, or else the best one, so that every step commits something. */
export function passingOrBest(passing: readonly RowOutcome[], scores: readonly RowOutcome[]): Verdict[] {
  return passing.length > 0
    ? passing.map(committed)
    : [{ ...best(scores), state: 'S', reason: 'promote-best' }];
}
