import type { RowOutcome } from '../../pass/pass.js';
import { blockRange, maskedInBlock } from '../canvas/geometry.js';
import type { Canvas } from '../canvas/types.js';
import type { CommitSpec } from '../spec.js';
import type { CommitRule, Verdict } from './rule.js';
import { uniformAt } from './sampling.js';

type TimestepSpec = Extract<CommitSpec, { kind: 'timestep' }>;

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
function quota({ stepsPerBlock, transfer, seed }: Extract<CommitSpec, { kind: 'quota' }>): CommitRule {
  return {
    decide(canvas, scores) {
      if (transfer === 'each') return byCoin(canvas, scores, stepsPerBlock, seed);
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

/**
 * llama.cpp's ORIGIN on the block schedule: of m masks with a quota of n, each is committed with probability n / m.
 * Its steps may commit nothing; what is left when the block's steps are spent is committed in the last one.
 */
function byCoin(
  canvas: Canvas,
  scores: readonly RowOutcome[],
  stepsPerBlock: number | null,
  seed: number,
): Verdict[] {
  const { start, end } = blockRange(canvas, canvas.block);
  const steps = stepsPerBlock ?? end - start;
  const k = canvas.blockSteps;
  const quotas = stepQuotas(end - start, steps);
  const share = k >= steps - 1 ? 1 : quotas[k] / maskedInBlock(canvas).length;
  return scores
    .filter(({ position }) => uniformAt(seed, canvas.block, k, position) < share)
    .map((score): Verdict => ({ ...score, state: 'S', reason: 'commit' }));
}

/**
 * Dream's schedule over the time line t = 1 .. eps in S steps: of m masks, trunc(m (1 - s / t)) are committed, in the
 * last step all. A step may commit nothing; its forward is spent all the same.
 */
function timestep({ steps, eps, transfer, temperature, seed }: TimestepSpec): CommitRule {
  return {
    decide(canvas, scores) {
      const { start, end } = blockRange(canvas, canvas.block);
      const total = steps ?? end - start;
      const k = canvas.blockSteps;
      // In f32, as both published loops: a share that falls just short of a whole token commits one less.
      const f = Math.fround;
      const line = (at: number): number => f(1 - f(f(at / total) * f(1 - f(eps))));
      const share = k >= total - 1 ? 1 : f(1 - f(line(k + 1) / line(k)));
      const masked = maskedInBlock(canvas).length;
      const draw = (position: number): number => uniformAt(seed, canvas.block, k, position);
      const verdict = (score: RowOutcome): Verdict => ({ ...score, state: 'S', reason: 'commit' });
      if (transfer === 'each') return scores.filter(({ position }) => draw(position) < share).map(verdict);
      // The n largest of c / T + Gumbel noise are n draws without replacement from softmax(c / T).
      const rank = ({ position, confidence }: RowOutcome): number =>
        temperature === 0 ? confidence : confidence / temperature - Math.log(-Math.log(draw(position)));
      return [...scores]
        .sort((a, b) => rank(b) - rank(a) || a.position - b.position)
        .slice(0, share === 1 ? scores.length : Math.trunc(f(masked * share)))
        .map(verdict);
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

function passingOrBest(passing: readonly RowOutcome[], scores: readonly RowOutcome[]): Verdict[] {
  if (passing.length === 0) return [{ ...best(scores), state: 'S', reason: 'promote-best' }];
  return passing.map((score): Verdict => ({ ...score, state: 'S', reason: 'commit' }));
}

/**
 * Fast-dLLM's factor rule: the largest leading run, by falling confidence, in which every n-th has
 * (n + 1)(1 - c) < f. The published loop also commits a failure at the very last rank, on request this one too.
 */
function factor(f: number, commitsLast: boolean): CommitRule {
  return {
    decide(_canvas, scores) {
      const sorted = [...scores].sort(byConfidence);
      const stop = sorted.findIndex(({ confidence }, index) => (index + 2) * (1 - confidence) >= f);
      const all = stop < 0 || (commitsLast && stop === sorted.length - 1);
      return passingOrBest(all ? sorted : sorted.slice(0, stop), scores);
    },
    stateFor: () => 'S',
  };
}

/**
 * Fast-dLLM++'s rule from the Frechet bounds on the joint probability of the n most confident tokens: the largest n
 * with max(0, sum c - (n - 1)) - (1 - c_n) > delta.
 */
function frechet(delta: number): CommitRule {
  return {
    decide(_canvas, scores) {
      const sorted = [...scores].sort(byConfidence);
      let sum = 0;
      let largest = 0;
      sorted.forEach(({ confidence }, index) => {
        sum += confidence;
        if (Math.max(0, sum - index) - (1 - confidence) > delta) largest = index + 1;
      });
      return passingOrBest(sorted.slice(0, largest), scores);
    },
    stateFor: () => 'S',
  };
}

/**
 * WINO's wide-in rule: every position above tau, of which at most min(max(floor(0.7 m), 5), 20) of the m masks left;
 * if there is none, the best one. What it commits can be revoked, so it is visible, not stable.
 */
function revocable(tau: number): CommitRule {
  return {
    decide(canvas, scores) {
      const masked = maskedInBlock(canvas).length;
      const cap = Math.min(Math.max(Math.floor((masked * 7) / 10), 5), 20);
      const passing = scores.filter(({ confidence }) => confidence > tau).sort(byConfidence);
      return passingOrBest(passing.slice(0, cap), scores).map((verdict) => ({ ...verdict, state: 'V' }));
    },
    stateFor: () => 'V',
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
      return quota(spec);
    case 'threshold':
      return threshold(spec.tau, spec.compare);
    case 'timestep':
      return timestep(spec);
    case 'factor':
      return factor(spec.factor, spec.lastRank === 'published');
    case 'frechet':
      return frechet(spec.delta);
    case 'revocable':
      return revocable(spec.tau);
    case 'staged':
      return staged(spec.visible, spec.stable);
  }
}
