import { z } from 'zod';
import type { Pass } from '../../../pass/pass.js';
import { blockRange, isLastBlockDone, positionsOf } from '../../canvas/geometry.js';
import type { Canvas, Range } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import type { CacheRule } from '../rule.js';
import { KV_REUSE, NO_CACHE } from './no-cache.js';

/** Uncached positions of finished blocks. */
function uncached(canvas: Canvas): number[] {
  const finished = { start: canvas.blockOrigin, end: blockRange(canvas, canvas.block).start };
  return positionsOf(finished).filter((position) => canvas.positions[position].kv === null);
}

/** Rows the window leaves behind keep the KV of the pass that computed them last. */
function leaving(_decided: Canvas, window: Range, pass: Pass): number[] {
  return pass.rows.map((row) => row.position).filter((position) => position < window.start);
}

type Seal = 'pass' | 'delayed' | 'as-is';

const SEALS: Record<Seal, Pick<CacheRule, 'keeps' | 'settled' | 'sealRows'>> = {
  /** One extra pass per finished block, fed with its final tokens. */
  pass: { keeps: () => [], settled: () => false, sealRows: uncached },
  /** A row is kept from a step that fed it the token it ends up with. */
  delayed: {
    keeps: leaving,
    settled: (position, fed) => position.token === fed,
    // Rows ride in the sliding window until they are settled; only after the last block nobody carries them.
    sealRows: (canvas) => (isLastBlockDone(canvas) ? uncached(canvas) : []),
  },
  /** A row is kept from the step that decided it, whatever it was fed: the cheapest and the stalest. */
  'as-is': { keeps: leaving, settled: () => true, sealRows: () => [] },
};

/** Prefix KV: the prompt and every finished block are read from the cache. */
export const prefix = defineRule(
  'cache',
  z.strictObject({
    kind: z.literal('prefix'),
    seal: z
      .enum(['pass', 'delayed', 'as-is'])
      .default('pass')
      .describe(
        'pass: one extra pass per finished block over its final tokens; delayed: a row is kept from a step that fed it its final token; as-is: kept from the step that decided it',
      ),
    prompt: z
      .enum(['bidirectional', 'block-causal'])
      .default('bidirectional')
      .describe(
        'who sees whom when the prompt is cached: all of it (LLaDA), or each block itself and what is left of it (SDAR, LLaDA2)',
      ),
    opens: z
      .enum(['masked', 'predicted'])
      .default('masked')
      .describe(
        'masked: a block begins with masks alone; predicted: the pass that caches what is before it says its first token, for models whose rows are about the token after them (Fast-dLLM v2)',
      ),
  }),
)({
  facts: ({ seal, prompt, opens }) => ({
    serves: 'finished rows',
    stores: true,
    seal,
    causalPrompt: prompt === 'block-causal',
    opens: opens === 'predicted' ? 'predicted' : undefined,
  }),
  rule: ({ seal, prompt, opens }) => ({
    ...NO_CACHE,
    ...SEALS[seal],
    prefill: true,
    causalPrefill: prompt === 'block-causal',
    opensPredicted: opens === 'predicted',
  }),
  contradicts({ seal, opens }, policy) {
    if (opens === 'masked') return [];
    const { window, speculate, guidance, revoke, refresh, final } = policy;
    const needs: readonly (readonly [boolean, string])[] = [
      [seal === 'pass', 'cache.seal pass, which says it'],
      [
        window.blockAlone && !window.lookahead,
        'window block without lookahead, since other rows come before that pass',
      ],
      [
        !speculate.futureRows && !speculate.widens,
        'speculate none, since no state is known before that pass',
      ],
      [guidance === 0, 'guidance 0, since that pass is not guided'],
      [!revoke.shadows, 'revoke none, since nothing in the block says it again'],
      [!refresh.launches && !final.sweeps, 'nothing refreshed or swept'],
    ];
    return needs.flatMap(([met, need]) => (met ? [] : [`cache.opens predicted: ${need}`]));
  },
  givesUp: ({ seal }) =>
    seal === 'as-is'
      ? [{ part: 'D2-exact-kv', because: 'cache.seal as-is keeps KV from the step that decided a token' }]
      : [],
  technique: () => KV_REUSE,
  draws: () => ({
    seal: ['pass', 'delayed', 'as-is'],
    prompt: ['bidirectional', 'block-causal'],
    opens: ['masked', 'masked', 'predicted'],
  }),
});
