import { z } from 'zod';
import { defineRule } from '../definition.js';
import { FINAL_TOKENS, PARALLEL_COMMIT, passingOrBest, THRESHOLDS, unit } from './by-confidence.js';

/**
 * JointThreshold of LLaDA2.1 (SGLang `joint_threshold`): masks above `tau` get a token, or else the best one; in the same forward every
 * token of the block whose row says another one above `edit` is replaced. A block without masks stays open for up to `edits` passes,
 * until one changes nothing.
 *
 * Not taken over: its penalty on the token to the left (0 by default), and the pass it spends to find that `edits` are used up.
 */
export const jointThreshold = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('joint-threshold'),
    tau: unit
      .default(0.5)
      .describe('confidence to be exceeded by a mask (mask to token); threshold of SGLang joint_threshold'),
    edit: unit
      .default(0)
      .describe(
        'confidence to be exceeded by another token (token to token); edit_threshold of SGLang joint_threshold',
      ),
    edits: z
      .int()
      .min(0)
      .default(16)
      .describe('passes over a block without masks; max_post_edit_steps of SGLang joint_threshold'),
  }),
)({
  facts: ({ tau, edit }) => ({ ...FINAL_TOKENS, bar: tau, edit }),
  rule: ({ tau, edits }) => ({
    edits,
    decide: (_canvas, scores) =>
      passingOrBest(
        scores.filter(({ confidence }) => confidence > tau),
        scores,
      ).map((verdict) => ({ ...verdict, state: 'V' })),
    stateFor: () => 'V',
  }),
  contradicts(_, { window, cache, speculate, revoke, refresh, final }) {
    const needs: readonly (readonly [boolean, string])[] = [
      [cache.seal !== 'delayed' && !window.lookahead, 'a window that stays until its block is finished'],
      [!cache.stores || cache.serves !== 'whole canvas', 'no cache of tokens that may still change'],
      [!speculate.futureRows && !speculate.widens, 'speculate none'],
      [!revoke.shadows, 'revoke none'],
      [!refresh.launches && !final.sweeps, 'nothing refreshed or swept'],
    ];
    return needs.flatMap(([met, need]) => (met ? [] : [`commit joint-threshold edits its block: ${need}`]));
  },
  givesUp: () => [
    { part: 'B1-edits', because: 'tokens of a block without masks may still change' },
    { part: 'D4-every-step', because: 'a pass over a block without masks gives no token' },
  ],
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ tau: THRESHOLDS, edit: THRESHOLDS, edits: [0, 1, 3, 16] }),
});
