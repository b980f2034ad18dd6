import { blockRange, positionsOf } from '../canvas/geometry.js';
import type { RevokeSpec } from '../spec.js';
import type { RevokeRule, Verdict } from './rule.js';

/** What WINO takes for the number of tokens accepted before the first step of a block. */
const FIRST_LAST_ACCEPTED = 30;

const NEVER: RevokeRule = { shadows: () => [], decide: () => [], stableWithBlock: false };

/**
 * WINO's narrow-out rule (arXiv:2507.18578): a second, masked copy of the block rides along, sees everything but its
 * own counterpart, and so says how likely each committed token is given all the others. A token below tau returns
 * to the mask; fewer than the last step accepted may do so, and only in a step that accepted more than one.
 */
export function revokeRule(spec: RevokeSpec): RevokeRule {
  if (spec.kind === 'none') return NEVER;
  return {
    shadows: (canvas) => positionsOf(blockRange(canvas, canvas.block)),
    decide(canvas, scores, promoted) {
      if (promoted <= 1) return [];
      const weak = scores
        .map(({ position, asked = 0 }) => ({ position, asked }))
        .filter(({ asked }) => asked < spec.tau)
        .sort((a, b) => a.asked - b.asked || a.position - b.position);
      const last = canvas.lastPromoted ?? FIRST_LAST_ACCEPTED;
      const revoked = weak.length >= last ? weak.slice(0, last - 1) : weak;
      return revoked.map(
        ({ position, asked }): Verdict => ({
          position,
          token: canvas.maskId,
          confidence: asked,
          state: 'IV',
          reason: 'revoke',
        }),
      );
    },
    stableWithBlock: true,
  };
}
