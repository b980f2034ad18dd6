import { z } from 'zod';
import { checkOutcome } from '../../../pass/outcome.js';
import type { Pass, PassRow } from '../../../pass/pass.js';
import { CanvasEdit } from '../../canvas/edit.js';
import { blockRange, isLastBlockDone, positionsOf, totalLength } from '../../canvas/geometry.js';
import { keepRows, liveKv } from '../../canvas/kv.js';
import type { Canvas, Steps } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import { LEFT_TO_RIGHT } from '../ladder.js';

interface Widths {
  readonly narrowest: number;
  readonly widest: number;
}

/**
 * Linear self-speculation (Nemotron-Labs-Diffusion, arXiv:2607.05722): the last token and a run of masks, which see each other, draft;
 * a causal pass over the drafts says what next-token decoding would have written, and the longest run that agrees is taken, with the
 * token after it. So the text is that of greedy next-token decoding of the same weights, for two forwards a round.
 *
 * The mask token is no candidate, as in all rules here: a model that would write it left to right is the one exception.
 *
 * The pass that drafts is computed with the model's adapter where it has one, which changes how many drafts are right and nothing else.
 */
export const selfSpeculation = defineRule(
  'window',
  z.strictObject({
    kind: z.literal('self-speculation'),
    narrowest: z
      .int()
      .min(2)
      .default(8)
      .describe('rows of the first draft, and of the narrowest: halved when at most half was taken'),
    widest: z.int().min(2).default(32).describe('rows of the widest draft: doubled when all of it was taken'),
  }),
)({
  facts: ({ narrowest, widest }) => ({
    reach: { rows: widest, options: { narrowest, widest } },
    relies: 'finished rows',
    everyPosition: false,
    blockAlone: false,
    lookahead: false,
    attends: ['block-causal', 'causal'],
    masks: true,
  }),
  rule: (widths) => ({
    next: ({ promptLength }) => ({ start: promptLength, end: promptLength }),
    lookahead: () => [],
    steps: rounds(widths),
  }),
  contradicts({ narrowest, widest }, policy) {
    const { blockLength, blockOrigin, cache, commit, speculate, refresh, final, sampling, confidence } =
      policy;
    const needs: readonly (readonly [boolean, string])[] = [
      [widest >= narrowest, 'window.widest at least window.narrowest'],
      [blockLength === 1 && blockOrigin === 'prompt', 'blockLength 1 from the prompt on'],
      [cache.seal === 'delayed' && !cache.causalPrompt, 'cache prefix with seal delayed'],
      [commit.bar === null, 'commit quota'],
      [!speculate.futureRows && !speculate.widens, 'nothing else speculated'],
      [!refresh.launches && !final.sweeps, 'nothing refreshed or swept'],
      [!sampling.random && !confidence.random, 'greedy sampling, which its verification compares with'],
    ];
    return needs.flatMap(([met, need]) => (met ? [] : [`window self-speculation: ${need}`]));
  },
  givesUp: () => [{ part: 'D4-every-step', because: 'the pass that drafts decides nothing' }],
  technique: () => ({
    name: 'self-speculation',
    lossless: 'self-speculation',
    without: () => LEFT_TO_RIGHT,
  }),
  draws: () => ({ narrowest: [2, 4], widest: [4, 8] }),
});

/** First position without a token. */
const firstOpen = (canvas: Canvas): number => blockRange(canvas, canvas.block).start;

/** Rows of the next draft: its width is kept as the window, which nothing else reads here. */
function widthOf({ window }: Canvas, { narrowest }: Widths): number {
  return window.end > window.start ? window.end - window.start : narrowest;
}

function reads(canvas: Canvas) {
  return canvas.positions.flatMap(({ kv }, position) =>
    kv === null ? [] : [{ position, version: kv.version }],
  );
}

function rounds(widths: Widths): Steps {
  return {
    plan(canvas) {
      if (isLastBlockDone(canvas)) return null;
      const open = firstOpen(canvas);
      const main: Omit<Pass, 'kind' | 'rows' | 'visibility' | 'logits'> = {
        id: `${canvas.step}.0`,
        lane: 'main',
        version: canvas.nextVersion,
        reads: reads(canvas),
      };
      const plan = (pass: Pass) => ({ step: canvas.step, block: canvas.block, passes: [pass] });
      const row = (position: number): PassRow => {
        const { token, draft } = canvas.positions[position];
        return { position, feed: draft?.token ?? token };
      };
      if (canvas.positions[0].kv === null) {
        const rows = positionsOf({ start: 0, end: open }).map(row);
        return plan({ ...main, kind: 'prefill', rows, visibility: 'causal', logits: [rows.length - 1] });
      }
      const end = Math.min(open - 1 + widthOf(canvas, widths), totalLength(canvas));
      const rows = positionsOf({ start: open - 1, end }).map(row);
      const all = rows.map((_, index) => index);
      const drafted = canvas.positions[open].draft !== null;
      return plan(
        drafted
          ? { ...main, kind: 'denoise', rows, visibility: 'causal', logits: all }
          : { ...main, kind: 'denoise', rows, visibility: 'all', logits: all.slice(1), adapter: true },
      );
    },
    apply(canvas, plan, outcome) {
      const [main] = plan.passes;
      checkOutcome(main, outcome);
      const edit = new CanvasEdit(canvas);
      const { step, nextVersion } = canvas;
      const moved = { step: step + 1, nextVersion: nextVersion + 1 };
      if (main.visibility !== 'causal') {
        for (const { position, token, confidence } of outcome.rows)
          edit.patch(position, { draft: { token, confidence, step } });
        const after = edit.canvas(moved);
        return { canvas: after, transitions: [], dropped: [], accepted: [], liveKv: liveKv(after) };
      }
      const open = firstOpen(canvas);
      let next = open;
      for (const { token, confidence } of outcome.rows) {
        if (next >= totalLength(canvas)) break;
        const { draft } = canvas.positions[next];
        edit.transit(next, { state: 'S', token, confidence, draft: null }, 'commit');
        next++;
        // A text that ended goes on from its end, as next-token decoding would.
        if (draft?.token !== token || canvas.endIds.includes(token)) break;
      }
      // Rows before the newest token saw only what was taken: their entries are those of next-token decoding.
      keepRows(edit, { ...main, rows: main.rows.filter(({ position }) => position < next - 1) });
      for (const { position } of main.rows) edit.patch(position, { draft: null });
      const taken = next - open;
      // A prompt drafted nothing, and leaves the narrowest as it is.
      const width = nextWidth(widthOf(canvas, widths), taken - 1, main.rows.length - 1, widths);
      const after = edit.canvas({
        ...moved,
        block: canvas.block + taken,
        window: { start: next - 1, end: next - 1 + width },
      });
      const { transitions } = edit;
      return { canvas: after, transitions, dropped: [], accepted: [], liveKv: liveKv(after) };
    },
  };
}

function nextWidth(width: number, taken: number, drafted: number, { narrowest, widest }: Widths): number {
  if (drafted === 0) return width;
  if (taken >= drafted) return Math.min(2 * width, widest);
  return taken <= drafted / 2 ? Math.max(Math.floor(width / 2), narrowest) : width;
}
