import { z } from 'zod';
import { blockOf } from '../../canvas/geometry.js';
import { type Draws, type Part, plain } from '../definition.js';
import type { PolicyFacts } from '../facts.js';
import type { ReviseRule, Verdict } from '../rule.js';

/** What fresh logits do to visible positions of the window. */
export const reviseSchema = z.strictObject({
  falling: z
    .enum(['sticky', 'demote'])
    .default('sticky')
    .describe(
      'a V below theta_visible keeps its token, or returns to IV; not stated, sticky keeps states monotone',
    ),
  feed: z
    .enum(['token', 'mask'])
    .default('token')
    .describe(
      'what a V of the current block is fed when it is scored again; token: §3.3 makes it context for others, mask: scored unseen',
    ),
  rename: z.boolean().default(true).describe('a V may change identity while V (Fig. 9, t=3)'),
});

type ReviseSpec = z.output<typeof reviseSchema>;

export const revise: Part<ReviseSpec> = {
  contradicts: ({ feed }, { commit }) =>
    feed === 'mask' && commit.stages === null
      ? ['revise.feed mask is about visible positions, so commit must be staged']
      : [],
  givesUp: ({ feed }) =>
    feed === 'mask' ? [{ part: 'V-context', because: 'visible positions are scored unseen' }] : [],
  technique: plain,
};

export const reviseDraws: Draws<ReviseSpec> = {
  falling: ['sticky', 'demote'],
  feed: ['token', 'token', 'mask'],
  rename: [true, false],
};

/**
 * Visible positions of the window, re-scored every step (arXiv:2606.13740 §3.3): S at theta_stable, otherwise they
 * keep or change their token while V.
 *
 * In a finished block whose KV is cached or on its way there the identity is held: renaming would leave KV of another
 * token, or restart the wait for KV made from the final one and stop the window; the refresh lane takes over once it is
 * cached.
 * A fall back to IV happens in the current block only (B1), and to fewer positions than were promoted (D4).
 */
export function reviseRule(spec: ReviseSpec, { commit, cache }: PolicyFacts): ReviseRule {
  const { stages, edit } = commit;
  if (edit !== undefined) return editing(edit);
  if (stages === null) return { decide: () => [], feedsMask: false };
  return {
    feedsMask: spec.feed === 'mask',
    decide(canvas, scores, promoted) {
      const verdicts: Verdict[] = [];
      const falling: Verdict[] = [];
      for (const score of scores) {
        const { token } = canvas.positions[score.position];
        const same = score.token === token;
        const current = blockOf(canvas, score.position) === canvas.block;
        const mayChange = same || (spec.rename && (current || !cache.stores));
        if (score.confidence >= stages.stable && mayChange) {
          verdicts.push({ ...score, state: 'S', reason: 'stabilise' });
        } else if (score.confidence >= stages.visible && mayChange) {
          verdicts.push({ ...score, state: 'V', reason: 'revise' });
        } else if (score.confidence < stages.visible && spec.falling === 'demote' && current) {
          falling.push({ ...score, token: canvas.maskId, state: 'IV', reason: 'revise' });
        } else if (same) {
          verdicts.push({ ...score, state: 'V', reason: 'revise' });
        }
      }
      // Lowest confidence falls first; a step keeps at least one net promotion.
      falling.sort((a, b) => a.confidence - b.confidence || a.position - b.position);
      return [...verdicts, ...falling.slice(0, Math.max(0, promoted - 1))];
    },
  };
}

/** Tokens of the block whose rows say another one above a threshold (LLaDA2.1, token to token). */
function editing(above: number): ReviseRule {
  return {
    feedsMask: false,
    decide: (canvas, scores) =>
      scores
        .filter(
          ({ position, token, confidence }) =>
            token !== canvas.positions[position].token && confidence > above,
        )
        .map((score) => ({ ...score, state: 'V', reason: 'revise' })),
  };
}
