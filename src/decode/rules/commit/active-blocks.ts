import { z } from 'zod';
import type { RowOutcome } from '../../../pass/pass.js';
import { blockCount, blockOf, blockRange, isUndecided, positionsOf } from '../../canvas/geometry.js';
import type { Canvas } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import { best, committed, FINAL_TOKENS, PARALLEL_COMMIT } from './by-confidence.js';
import { nats, needsEntropy } from './by-entropy.js';

/**
 * d3LLM's multi-block decoding (SGLang pull 20615): the next block is active as soon as a share of this one is decided. In every
 * active block the masks of low entropy are committed; in the first with masks one is when none qualifies. (As published that
 * is the first whose predecessor is 95 % decided: with masks left it is the same block.)
 */
export const activeBlocks = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('active-blocks'),
    entropy: z.number().min(0).default(0.4).describe('nats below which a mask is committed; as published'),
    opens: z.number().min(0).max(1).default(0.1).describe('share decided that makes the next block active'),
  }),
)({
  facts: () => ({ ...FINAL_TOKENS, entropy: true, ahead: true }),
  rule: ({ entropy, opens }) => ({
    ahead: true,
    decide(canvas, scores) {
      const active = activeOf(canvas, opens);
      const inActive = scores.filter(({ position }) => active.has(blockOf(canvas, position)));
      const passing = inActive.filter((score) => nats(score) < entropy);
      const own = (score: RowOutcome): boolean => blockOf(canvas, score.position) === canvas.block;
      if (passing.some(own)) return passing.map(committed);
      const rest = scores.filter(own);
      const lone = rest.length === 0 ? [] : [{ ...committed(best(rest)), reason: 'promote-best' as const }];
      return [...passing.map(committed), ...lone];
    },
    stateFor: () => 'S',
  }),
  contradicts(spec, policy) {
    const { window, speculate, cache } = policy;
    const found = needsEntropy('active-blocks')(spec, policy);
    const sees =
      window.everyPosition ||
      (!window.blockAlone && window.relies === 'finished rows' && cache.seal === 'pass');
    if (!sees)
      found.push(
        'commit active-blocks looks ahead: window canvas, or block with extent suffix on cache prefix',
      );
    if (speculate.futureRows || speculate.widens)
      found.push('commit active-blocks takes later blocks itself, so speculate must be none');
    return found;
  },
  givesUp: () => [{ part: 'B1-one-block', because: 'several blocks are open at once' }],
  technique: () => PARALLEL_COMMIT,
  draws: () => ({ entropy: [0.1, 0.4, 2], opens: [0, 0.1, 0.5] }),
});

/** Share of a block that is decided. */
function decidedShare(canvas: Canvas, block: number): number {
  const positions = positionsOf(blockRange(canvas, block));
  return positions.filter((position) => !isUndecided(canvas, position)).length / positions.length;
}

/** The open block, and every next one for as long as the one before it is decided far enough. */
function activeOf(canvas: Canvas, opens: number): Set<number> {
  const active = new Set([canvas.block]);
  for (
    let block = canvas.block;
    block + 1 < blockCount(canvas) && decidedShare(canvas, block) >= opens;
    block++
  )
    active.add(block + 1);
  return active;
}
