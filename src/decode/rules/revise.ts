import { blockOf } from '../canvas/geometry.js';
import type { CommitSpec, ReviseSpec } from '../spec.js';
import type { ReviseRule, Verdict } from './rule.js';

/**
 * Visible positions of the window, re-scored every step (arXiv:2606.13740 §3.3): S at theta_stable, otherwise they
 * keep or change their token while V.
 *
 * In a finished block that is on its way into the prefix KV the identity is held: renaming there would restart the
 * wait for KV made from the final token and could stop the window; the refresh lane takes over once it is cached.
 * A fall back to IV happens in the current block only (B1), and to fewer positions than were promoted (D4).
 */
export function reviseRule(spec: ReviseSpec, commit: CommitSpec, cached: boolean): ReviseRule {
  if (commit.kind !== 'staged') return { decide: () => [], feedsMask: false };
  const { visible, stable } = commit;
  return {
    feedsMask: spec.feed === 'mask',
    decide(canvas, scores, promoted) {
      const verdicts: Verdict[] = [];
      const falling: Verdict[] = [];
      for (const score of scores) {
        const { token, confidence } = canvas.positions[score.position];
        const same = score.token === token;
        const current = blockOf(canvas, score.position) === canvas.block;
        const mayChange = same || (spec.rename && (current || !cached));
        if (score.confidence >= stable && mayChange) {
          verdicts.push({ ...score, state: 'S', reason: 'stabilise' });
        } else if (score.confidence >= visible && mayChange) {
          verdicts.push({ ...score, state: 'V', reason: 'revise' });
        } else if (score.confidence < visible && spec.falling === 'demote' && current) {
          falling.push({ ...score, token: canvas.maskId, state: 'IV', reason: 'revise' });
        } else if (same) {
          verdicts.push({ ...score, state: 'V', reason: 'revise' });
        } else {
          verdicts.push({ position: score.position, token, confidence, state: 'V', reason: 'revise' });
        }
      }
      // Lowest confidence falls first; a step keeps at least one net promotion.
      falling.sort((a, b) => a.confidence - b.confidence || a.position - b.position);
      return [...verdicts, ...falling.slice(0, Math.max(0, promoted - 1))];
    },
  };
}
