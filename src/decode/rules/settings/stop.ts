import { z } from 'zod';
import { CanvasEdit } from '../../canvas/edit.js';
import { blockCount, blockRange, totalLength } from '../../canvas/geometry.js';
import { liveKv } from '../../canvas/kv.js';
import type { ApplyResult, Canvas, Steps } from '../../canvas/types.js';
import { nothing, type Part, plain } from '../definition.js';

/** Whether decoding ends before the last block. */
export const stopSchema = z
  .enum(['never', 'block'])
  .default('never')
  .describe(
    'never: every position is computed, as LLaDA, Dream, Fast-dLLM v1 and §5.1 do; block: decoding ends with the block in which an end token stands',
  );

type Stop = z.output<typeof stopSchema>;

export const stop: Part<Stop> = {
  contradicts: (when, { final }) =>
    when === 'block' && final.sweeps
      ? ['stop block ends the decode with a block, so final must be accept']
      : [],
  givesUp: nothing,
  technique: plain,
};

export const stopDraws = ['never', 'never', 'block'] as const;

/**
 * The method, ended with the first block that holds an end token: what is left gets that token without a forward, so
 * that the answer has its length.
 */
export function stopping(method: Steps): Steps {
  return {
    plan: (canvas) => method.plan(canvas),
    apply(canvas, plan, outcomes, landed) {
      const result = method.apply(canvas, plan, outcomes, landed);
      const token = endBetween(result.canvas, canvas.block);
      return token === undefined ? result : ended(result, token);
    },
  };
}

/** End token in the blocks that were finished since `first` was open, while another is still to be decided. */
function endBetween(canvas: Canvas, first: number): number | undefined {
  const { block, positions, promptLength, given, endIds } = canvas;
  if (block >= blockCount(canvas)) return undefined;
  // What the caller gave ends nothing.
  const start = Math.max(blockRange(canvas, first).start, promptLength + given);
  const { start: end } = blockRange(canvas, block);
  return positions.slice(start, end).find(({ token }) => endIds.includes(token))?.token;
}

function ended({ canvas, transitions, dropped, accepted }: ApplyResult, token: number): ApplyResult {
  const edit = new CanvasEdit(canvas);
  canvas.positions.forEach(({ state }, index) => {
    if (state === 'M' || state === 'IV')
      edit.transit(index, { state: 'S', token, confidence: 0, draft: null }, 'stop');
    // Law D7.
    else if (state === 'V') edit.transit(index, {}, 'final', true);
  });
  const late = canvas.inFlight.flatMap(({ passId, targets }) =>
    targets.map(({ position }) => ({ passId, position, reason: 'finished' as const })),
  );
  const end = totalLength(canvas);
  const done = edit.canvas({ block: blockCount(canvas), window: { start: end, end }, inFlight: [] });
  return {
    canvas: done,
    transitions: [...transitions, ...edit.transitions],
    dropped: [...dropped, ...late],
    accepted,
    liveKv: liveKv(done),
  };
}
