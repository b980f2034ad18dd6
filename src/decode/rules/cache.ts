import { blockRange, isLastBlockDone, positionsOf } from '../geometry.js';
import type { CacheSpec } from '../spec.js';
import type { Canvas, Pass, Range } from '../types.js';
import type { CacheRule } from './rule.js';

/** Uncached positions of finished blocks. */
function uncached(canvas: Canvas): number[] {
  const finished = { start: canvas.promptLength, end: blockRange(canvas, canvas.block).start };
  return positionsOf(finished).filter((position) => canvas.positions[position].kv === null);
}

/** Rows the window leaves behind keep the KV of the pass that computed them last. */
function leaving(window: Range, pass: Pass): number[] {
  return pass.rows.map((row) => row.position).filter((position) => position < window.start);
}

const NO_CACHE: CacheRule = {
  prefill: false,
  keeps: () => [],
  settled: () => false,
  sealRows: () => [],
};

/** One extra pass per finished block, fed with its final tokens. */
const SEAL_BY_PASS: CacheRule = {
  prefill: true,
  keeps: () => [],
  settled: () => false,
  sealRows: uncached,
};

/** A row is kept from a step that fed it the token it ends up with. */
const SEAL_DELAYED: CacheRule = {
  prefill: true,
  keeps: leaving,
  settled: (position, fed) => position.token === fed,
  // Rows ride in the sliding window until they are settled; only after the last block nobody carries them.
  sealRows: (canvas) => (isLastBlockDone(canvas) ? uncached(canvas) : []),
};

/** A row is kept from the step that decided it, whatever it was fed: the cheapest and the stalest. */
const SEAL_AS_IS: CacheRule = {
  prefill: true,
  keeps: leaving,
  settled: () => true,
  sealRows: () => [],
};

export function cacheRule(spec: CacheSpec): CacheRule {
  if (spec.kind === 'none') return NO_CACHE;
  switch (spec.seal) {
    case 'pass':
      return SEAL_BY_PASS;
    case 'delayed':
      return SEAL_DELAYED;
    case 'as-is':
      return SEAL_AS_IS;
  }
}
