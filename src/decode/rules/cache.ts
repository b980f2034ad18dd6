import type { Pass } from '../../pass/pass.js';
import { blockRange, contains, isLastBlockDone, positionsOf } from '../canvas/geometry.js';
import type { Canvas, Range } from '../canvas/types.js';
import type { CacheSpec } from '../spec.js';
import type { CacheRule } from './rule.js';

/** Uncached positions of finished blocks. */
function uncached(canvas: Canvas): number[] {
  const finished = { start: canvas.blockOrigin, end: blockRange(canvas, canvas.block).start };
  return positionsOf(finished).filter((position) => canvas.positions[position].kv === null);
}

/** Rows the window leaves behind keep the KV of the pass that computed them last. */
function leaving(_decided: Canvas, window: Range, pass: Pass): number[] {
  return pass.rows.map((row) => row.position).filter((position) => position < window.start);
}

const NO_CACHE: CacheRule = {
  prefill: false,
  causalPrefill: false,
  keeps: () => [],
  settled: () => false,
  sealRows: () => [],
  reuses: () => false,
};

/** One extra pass per finished block, fed with its final tokens. */
const SEAL_BY_PASS: CacheRule = {
  prefill: true,
  causalPrefill: false,
  keeps: () => [],
  settled: () => false,
  sealRows: uncached,
  reuses: () => false,
};

/** A row is kept from a step that fed it the token it ends up with. */
const SEAL_DELAYED: CacheRule = {
  prefill: true,
  causalPrefill: false,
  keeps: leaving,
  settled: (position, fed) => position.token === fed,
  // Rows ride in the sliding window until they are settled; only after the last block nobody carries them.
  sealRows: (canvas) => (isLastBlockDone(canvas) ? uncached(canvas) : []),
  reuses: () => false,
};

/** A row is kept from the step that decided it, whatever it was fed: the cheapest and the stalest. */
const SEAL_AS_IS: CacheRule = {
  prefill: true,
  causalPrefill: false,
  keeps: leaving,
  settled: () => true,
  sealRows: () => [],
  reuses: () => false,
};

/**
 * Fast-dLLM (arXiv:2505.22618): the full pass that opens a block fills the cache for every position that the
 * following passes leave out; nothing else is ever kept.
 */
const KEEP_PER_BLOCK: CacheRule = {
  prefill: false,
  causalPrefill: false,
  keeps: (_decided, window, pass) =>
    pass.reads.length > 0 ? [] : pass.rows.map((row) => row.position).filter((p) => !contains(window, p)),
  settled: () => false,
  sealRows: () => [],
  reuses: () => false,
};

/**
 * dKV-Cache-Decode (arXiv:2505.15781): a decided position is computed once more with its token, then its entry is
 * reused. Everything is computed anew in the first two steps of a block and in every `refreshEvery`-th after.
 */
function keepDecided(refreshEvery: number): CacheRule {
  return {
    prefill: false,
    causalPrefill: false,
    keeps: (decided, _window, pass) =>
      pass.rows
        .filter(({ position, feed }) => {
          const { state, token } = decided.positions[position];
          return (state === 'S' || state === 'V') && token === feed;
        })
        .map((row) => row.position),
    settled: () => false,
    sealRows: () => [],
    reuses(canvas, position) {
      if (canvas.blockSteps < 2 || canvas.blockSteps % refreshEvery === 0) return false;
      return canvas.positions[position].kv !== null;
    },
  };
}

function sealRule(seal: 'pass' | 'delayed' | 'as-is'): CacheRule {
  switch (seal) {
    case 'pass':
      return SEAL_BY_PASS;
    case 'delayed':
      return SEAL_DELAYED;
    case 'as-is':
      return SEAL_AS_IS;
  }
}

export function cacheRule(spec: CacheSpec): CacheRule {
  if (spec.kind === 'none') return NO_CACHE;
  if (spec.kind === 'per-block') return KEEP_PER_BLOCK;
  if (spec.kind === 'decided') return keepDecided(spec.refreshEvery);
  return { ...sealRule(spec.seal), causalPrefill: spec.prompt === 'block-causal' };
}
