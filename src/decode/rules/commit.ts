import { blockRange, maskedInBlock } from '../geometry.js';
import type { CommitSpec } from '../spec.js';
import type { RowOutcome } from '../types.js';
import type { CommitRule, Verdict } from './rule.js';

/** Highest confidence first; ties go to the lowest position. */
export function byConfidence(a: RowOutcome, b: RowOutcome): number {
  return b.confidence - a.confidence || a.position - b.position;
}

/**
 * LLaDA's schedule for a block: `length` tokens over `steps` steps, as even as possible, larger quotas first.
 * Source: LLaDA `generate`, get_num_transfer_tokens.
 */
export function stepQuotas(length: number, steps: number): number[] {
  const base = Math.floor(length / steps);
  return Array.from({ length: steps }, (_, step) => base + (step < length % steps ? 1 : 0));
}

/**
 * Top-k by confidence on a fixed schedule. The place in the schedule is read off the tokens already committed, so
 * extra commits (accepted drafts) shorten the schedule and never stretch it.
 */
function quota(stepsPerBlock: number | null): CommitRule {
  return {
    decide(canvas, scores) {
      const { start, end } = blockRange(canvas, canvas.block);
      // Not every mask of the block need be in the window.
      const committed = end - start - maskedInBlock(canvas).length;
      let sum = 0;
      let due = 1;
      for (const size of stepQuotas(end - start, stepsPerBlock ?? end - start)) {
        due = size;
        sum += size;
        if (sum > committed) break;
      }
      return [...scores]
        .sort(byConfidence)
        .slice(0, due)
        .map((score): Verdict => ({ ...score, state: 'S', reason: 'commit' }));
    },
    stateFor: () => 'S',
  };
}

/** Every position at or above tau; if there is none, the best one (Fast-dLLM's threshold rule). */
function threshold(tau: number, compare: 'at-least' | 'above'): CommitRule {
  return {
    decide(_canvas, scores) {
      const passing = scores.filter(({ confidence }) =>
        compare === 'at-least' ? confidence >= tau : confidence > tau,
      );
      if (passing.length > 0) {
        return passing.map((score): Verdict => ({ ...score, state: 'S', reason: 'commit' }));
      }
      return [{ ...best(scores), state: 'S', reason: 'promote-best' }];
    },
    stateFor: () => 'S',
  };
}

/**
 * Staged stabilization (arXiv:2606.13740 §3.3): IV becomes V at theta_visible and S at theta_stable, both
 * inclusive (Fig. 9: exactly 0.5 and 0.8 pass); IV may jump to S. If no IV reaches theta_visible, the most
 * confident one becomes V, whatever the V positions did: the block would not advance otherwise.
 */
function staged(visible: number, stable: number): CommitRule {
  const stateFor = (confidence: number): 'V' | 'S' => (confidence >= stable ? 'S' : 'V');
  return {
    decide(_canvas, scores) {
      const passing = scores.filter(({ confidence }) => confidence >= visible);
      if (passing.length > 0) {
        return passing.map(
          (score): Verdict => ({ ...score, state: stateFor(score.confidence), reason: 'commit' }),
        );
      }
      return [{ ...best(scores), state: 'V', reason: 'promote-best' }];
    },
    stateFor,
  };
}

function best(scores: readonly RowOutcome[]): RowOutcome {
  return scores.reduce((a, b) => (byConfidence(a, b) <= 0 ? a : b));
}

export function commitRule(spec: CommitSpec): CommitRule {
  switch (spec.kind) {
    case 'quota':
      return quota(spec.stepsPerBlock);
    case 'threshold':
      return threshold(spec.tau, spec.compare);
    case 'staged':
      return staged(spec.visible, spec.stable);
  }
}
