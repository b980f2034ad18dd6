import { z } from 'zod';
import { checkOutcome } from '../../../pass/outcome.js';
import type { Pass } from '../../../pass/pass.js';
import { CanvasEdit } from '../../canvas/edit.js';
import { blockRange, isLastBlockDone, positionsOf } from '../../canvas/geometry.js';
import { keepRows, liveKv } from '../../canvas/kv.js';
import type { Steps } from '../../canvas/types.js';
import { defineRule, nothing, plain } from '../definition.js';

/** Autoregressive: the last token predicts the one after it. For causal models only; no position waits in a window. */
export const next = defineRule(
  'window',
  z.strictObject({ kind: z.literal('next') }),
)({
  facts: () => ({
    relies: 'finished rows',
    everyPosition: false,
    blockAlone: false,
    lookahead: false,
    attends: ['causal'],
    masks: false,
  }),
  rule: (_, { sampling, confidence }) => ({
    next: ({ promptLength }) => ({ start: promptLength, end: promptLength }),
    lookahead: () => [],
    steps: leftToRight(sampling.random || confidence.random),
  }),
  contradicts(_, { blockLength, blockOrigin, cache, commit, speculate, refresh, final }) {
    const needs: readonly (readonly [boolean, string])[] = [
      [blockLength === 1 && blockOrigin === 'prompt', 'blockLength 1 from the prompt on'],
      [cache.seal === 'delayed', 'cache prefix with seal delayed'],
      [commit.bar === null, 'commit quota'],
      [!speculate.futureRows && !speculate.widens, 'nothing speculated'],
      [!refresh.launches && !final.sweeps, 'nothing refreshed or swept'],
    ];
    return needs.flatMap(([met, need]) => (met ? [] : [`window next decodes left to right: ${need}`]));
  },
  givesUp: nothing,
  technique: plain,
  draws: () => ({}),
});

/**
 * Next-token decoding of a causal model. The first pass runs the whole prompt, every later one the token that was
 * decided last; the KV of every row is durable at once, since nothing to its right can change it. All generated
 * positions get a token: where the text ends is for the reader of the answer to see.
 *
 * @param draws whether tokens are sampled, so that rows need the counter of their random number
 */
function leftToRight(draws: boolean): Steps {
  return {
    plan(canvas) {
      if (isLastBlockDone(canvas)) return null;
      const at = blockRange(canvas, canvas.block).start;
      const first = canvas.positions[0].kv === null;
      const draw = draws ? canvas.promptLength + canvas.genLength - at : undefined;
      const rows = positionsOf({ start: first ? 0 : at - 1, end: at }).map((position) => ({
        position,
        feed: canvas.positions[position].token,
        draw,
      }));
      const main: Pass = {
        id: `${canvas.step}.0`,
        kind: first ? 'prefill' : 'denoise',
        lane: 'main',
        version: canvas.nextVersion,
        rows,
        reads: canvas.positions.flatMap(({ kv }, position) =>
          kv === null ? [] : [{ position, version: kv.version }],
        ),
        visibility: 'causal',
        logits: [rows.length - 1],
      };
      return { step: canvas.step, block: canvas.block, passes: [main] };
    },
    apply(canvas, plan, outcome) {
      const [main] = plan.passes;
      checkOutcome(main, outcome);
      const [{ position, token, confidence }] = outcome.rows;
      const edit = new CanvasEdit(canvas);
      keepRows(edit, main);
      edit.transit(position + 1, { state: 'S', token, confidence }, 'commit');
      const block = canvas.block + 1;
      const window = { start: position + 2, end: position + 2 };
      const { step, nextVersion } = canvas;
      const after = edit.canvas({ block, window, step: step + 1, nextVersion: nextVersion + 1 });
      const { transitions } = edit;
      return { canvas: after, transitions, dropped: [], accepted: [], liveKv: liveKv(after) };
    },
  };
}
