import { z } from 'zod';
import { blockCount, blockRange, isUndecided, positionsOf } from '../../canvas/geometry.js';
import type { Canvas, Range } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import { KV_REUSE, NO_CACHE } from './no-cache.js';

/** What the next pass does for the cache, whose entries are those of the first positions. */
interface Turn {
  /** Entries there are, and those there will be. */
  readonly from: number;
  readonly to: number;
  /** A finished block waits: everything is computed, and the entries there are made anew. */
  readonly anew: boolean;
  /** Passes that the block has waited with this one; 0 where none waits. */
  readonly waited: number;
}

/**
 * d3LLM's delayed cache (`generate_multi_block_kv_cache`): the entries of a finished block are those of the pass that comes `delay`
 * passes after the one that first saw it finished. Until then every pass computes everything, and what was cached before is made anew;
 * all others compute only what is not cached. Blocks are cached from left to right, the prompt as the first.
 *
 * Not taken over: a refresh every `refresh_interval` passes, which all published runs put beyond their end.
 */
export const delayed = defineRule(
  'cache',
  z.strictObject({
    kind: z.literal('delayed'),
    delay: z
      .int()
      .min(0)
      .default(1)
      .describe('passes that a finished block waits; cache_delay_iter, 1 in the runs that d3LLM publishes'),
  }),
)({
  facts: () => ({ serves: 'whole canvas', stores: true, seal: null, causalPrompt: false }),
  rule: ({ delay }) => ({
    ...NO_CACHE,
    keeps(decided, _window, pass) {
      const fed = new Map(pass.rows.map(({ position, feed }) => [position, feed]));
      const { from, to, anew } = turnOf(decided, delay, (position) => fed.get(position) === decided.maskId);
      return positionsOf(anew ? { start: 0, end: from } : { start: from, end: to });
    },
    reuses(canvas, position) {
      if (canvas.positions[position].kv === null) return false;
      return !turnOf(canvas, delay, (at) => isUndecided(canvas, at)).anew;
    },
    waits(decided, pass) {
      const fed = new Map(pass.rows.map(({ position, feed }) => [position, feed]));
      return turnOf(decided, delay, (position) => fed.get(position) === decided.maskId).waited;
    },
  }),
  contradicts(_, { window, commit, revoke, speculate }) {
    const isFinal = commit.stages === null && !commit.revocable && commit.edit === undefined;
    // A row that is fed a draft looks decided: a block would be cached with it.
    const isMasked = !speculate.futureRows && !speculate.widens;
    return window.everyPosition && isFinal && isMasked && !revoke.shadows
      ? []
      : [
          'cache delayed keeps rows of the full canvas whose tokens are final: window canvas full, commit that takes nothing back, speculate none',
        ];
  },
  givesUp: () => [{ part: 'D1-kv', because: 'what is cached is computed anew while a finished block waits' }],
  technique: () => KV_REUSE,
  draws: () => ({ delay: [0, 1, 2, 5] }),
});

/** The prompt, then the blocks. */
function* blocksOf(canvas: Canvas): Generator<Range> {
  yield { start: 0, end: canvas.blockOrigin };
  for (let block = 0; block < blockCount(canvas); block++) yield blockRange(canvas, block);
}

function turnOf(canvas: Canvas, delay: number, isOpen: (position: number) => boolean): Turn {
  const first = canvas.positions.findIndex(({ kv }) => kv === null);
  const from = first < 0 ? canvas.positions.length : first;
  let to = from;
  for (const block of blocksOf(canvas)) {
    if (block.end <= from) continue;
    if (positionsOf(block).some(isOpen)) break;
    const before = block.start === from ? canvas.waited : 0;
    // A prompt is finished before the first pass, so that this one is the second to know.
    const known = block.start === 0 ? before + 1 : before;
    if (known < delay) return { from, to, anew: to === from, waited: before + 1 };
    to = block.end;
  }
  return { from, to, anew: false, waited: 0 };
}
