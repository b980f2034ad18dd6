import { blockRange, contains, isLastBlockDone, totalLength } from '../canvas/geometry.js';
import type { Canvas, Range } from '../canvas/types.js';
import type { WindowSpec } from '../spec.js';
import { type LatencyTable, lookaheadRule } from './lookahead.js';
import type { WindowRule } from './rule.js';

function canvasWindow(extent: 'full' | 'growing'): WindowRule {
  return {
    next: (canvas) => ({
      start: 0,
      end: extent === 'full' ? totalLength(canvas) : blockRange(canvas, canvas.block).end,
    }),
    lookahead: () => [],
  };
}

function blockWindow(extent: 'block' | 'suffix', lookahead: WindowRule['lookahead']): WindowRule {
  return {
    next(canvas) {
      const range = blockRange(canvas, canvas.block);
      return extent === 'block' ? range : { start: range.start, end: totalLength(canvas) };
    },
    lookahead,
  };
}

/**
 * Continuous sliding (arXiv:2606.13740 §3.2): the left edge moves past the settled run on the left, the size is
 * unchanged, so the right edge enters the next blocks. A position is settled when it is decided and its KV was
 * computed from the very token it has.
 */
function slidingWindow(
  size: number | null,
  past: 'visible' | 'stable',
  lookahead: WindowRule['lookahead'],
): WindowRule {
  const passes = (canvas: Canvas, position: number): boolean => {
    const { state } = canvas.positions[position];
    if (state === 'S') return true;
    return state === 'V' && (past === 'visible' || !contains(blockRange(canvas, canvas.block), position));
  };
  return {
    next(canvas, settled): Range {
      const end = totalLength(canvas);
      let start = canvas.window.start;
      while (start < end && passes(canvas, start) && settled(start)) start++;
      return { start, end: Math.min(start + (size ?? canvas.blockLength), end) };
    },
    lookahead: (canvas) => (isLastBlockDone(canvas) ? [] : lookahead(canvas)),
  };
}

/**
 * Fast-dLLM (arXiv:2505.22618): the whole canvas in the pass that opens a block, then the block, with or without
 * everything to its right.
 */
function perBlockWindow(extent: 'block' | 'suffix'): WindowRule {
  return {
    next(canvas, _settled, isNewBlock) {
      const end = totalLength(canvas);
      if (isNewBlock) return { start: 0, end };
      const block = blockRange(canvas, canvas.block);
      return extent === 'block' ? block : { start: block.start, end };
    },
    lookahead: () => [],
  };
}

/** Autoregressive decoding computes the last token's row; no position waits in a window. */
const NO_WINDOW: WindowRule = {
  next: ({ promptLength }) => ({ start: promptLength, end: promptLength }),
  lookahead: () => [],
};

export function windowRule(spec: WindowSpec, latencyTable: LatencyTable, rowBytes: number): WindowRule {
  if (spec.kind === 'canvas') return canvasWindow(spec.extent);
  if (spec.kind === 'per-block') return perBlockWindow(spec.extent);
  if (spec.kind === 'next') return NO_WINDOW;
  const lookahead =
    spec.lookahead === undefined ? () => [] : lookaheadRule(spec.lookahead, latencyTable, rowBytes);
  return spec.kind === 'block'
    ? blockWindow(spec.extent, lookahead)
    : slidingWindow(spec.size, spec.past, lookahead);
}
