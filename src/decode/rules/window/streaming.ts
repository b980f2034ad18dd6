import { z } from 'zod';
import { checkOutcome } from '../../../pass/outcome.js';
import type { Pass, PassRow } from '../../../pass/pass.js';
import { CanvasEdit } from '../../canvas/edit.js';
import { isLastBlockDone, isUndecided, positionsOf, totalLength } from '../../canvas/geometry.js';
import { keepRows, liveKv } from '../../canvas/kv.js';
import type { Canvas, Steps } from '../../canvas/types.js';
import { nats, needsEntropy } from '../commit/by-entropy.js';
import { defineRule } from '../definition.js';
import { LEFT_TO_RIGHT } from '../ladder.js';

interface Options {
  readonly width: number;
  readonly entropy: number;
  readonly penalty: number;
}

/**
 * The streaming window of WeDLM (arXiv:2512.22737; Tencent/WeDLM `wedlm_decoder.py`, `sampler.py`): attention stays causal, but the rows
 * of a pass are in the order tokens first, then masks, each with its own position, so that every mask sees every token of the window.
 * The tokens at the start of the window saw nothing but text: their KV is durable at once. As many masks are appended as such tokens.
 *
 * Where we differ: no row lies behind the end of the text, and the text is finished with its last token, without the forward that
 * would emit it.
 */
export const streaming = defineRule(
  'window',
  z.strictObject({
    kind: z.literal('streaming'),
    width: z.int().min(1).default(16).describe('masks of the first window; window size of WeDLM'),
    entropy: z
      .number()
      .min(0)
      .default(0.4)
      .describe('nats below which a mask gets a token; wedlm_entropy_threshold'),
    penalty: z
      .number()
      .min(0)
      .default(0.02)
      .describe('nats added for each position from the first mask on; wedlm_pos_penalty_factor'),
  }),
)({
  facts: () => ({
    relies: 'finished rows',
    everyPosition: false,
    blockAlone: false,
    lookahead: false,
    attends: ['causal'],
    masks: true,
  }),
  rule: (options, { sampling }) => ({
    next: (canvas) => ({
      start: canvas.promptLength,
      end: Math.min(canvas.promptLength + options.width, totalLength(canvas)),
    }),
    lookahead: () => [],
    steps: stream(options, sampling.random),
  }),
  contradicts(spec, policy) {
    const { blockLength, blockOrigin, cache, commit, speculate, refresh, final } = policy;
    const needs: readonly (readonly [boolean, string])[] = [
      [blockLength === 1 && blockOrigin === 'prompt', 'blockLength 1 from the prompt on'],
      [cache.seal === 'delayed' && !cache.causalPrompt, 'cache prefix with seal delayed'],
      [commit.bar === null, 'commit quota'],
      [!speculate.futureRows && !speculate.widens, 'nothing speculated'],
      [!refresh.launches && !final.sweeps, 'nothing refreshed or swept'],
    ];
    return [
      ...needs.flatMap(([met, need]) =>
        met ? [] : [`window streaming decodes in a loop of its own: ${need}`],
      ),
      ...needsEntropy('window streaming')(spec, policy),
    ];
  },
  givesUp: () => [
    { part: 'B1-one-block', because: 'a mask of low entropy gets its token before those left of it' },
  ],
  technique: () => ({ name: 'streaming', without: () => LEFT_TO_RIGHT }),
  draws: () => ({ width: [1, 2, 4, 16], entropy: [0, 0.4, 2], penalty: [0, 0.02, 0.5] }),
});

/** First position that is not decided, or the end of the text. */
function firstOpen(canvas: Canvas): number {
  const found = canvas.positions.findIndex((_, position) => isUndecided(canvas, position));
  return found < 0 ? totalLength(canvas) : found;
}

function stream({ entropy, penalty }: Options, draws: boolean): Steps {
  return {
    plan(canvas) {
      if (isLastBlockDone(canvas)) return null;
      const { positions, step, nextVersion, block } = canvas;
      const left = draws ? positions.filter((_, at) => isUndecided(canvas, at)).length : undefined;
      const row = (position: number): PassRow => {
        const gap = isUndecided(canvas, position);
        return { position, feed: positions[position].token, draw: gap ? left : undefined };
      };
      const main: Omit<Pass, 'kind' | 'rows' | 'visibility' | 'logits'> = {
        id: `${step}.0`,
        lane: 'main',
        version: nextVersion,
        reads: positions.flatMap(({ kv }, position) =>
          kv === null ? [] : [{ position, version: kv.version }],
        ),
      };
      const plan = (pass: Pass) => ({ step, block, passes: [pass] });
      if (positions[0].kv === null) {
        const rows = positionsOf({ start: 0, end: canvas.promptLength }).map(row);
        return plan({ ...main, kind: 'prefill', rows, visibility: 'causal', logits: [] });
      }
      const window = positionsOf(canvas.window);
      const gaps = window.filter((position) => isUndecided(canvas, position));
      const filled = window.filter((position) => !isUndecided(canvas, position));
      return plan({
        ...main,
        kind: 'denoise',
        rows: [...filled, ...gaps].map(row),
        visibility: 'ordered',
        logits: gaps.map((_, index) => filled.length + index),
      });
    },
    apply(canvas, plan, outcome) {
      const [main] = plan.passes;
      checkOutcome(main, outcome);
      const edit = new CanvasEdit(canvas);
      const first = firstOpen(canvas);
      // What lies left of the first mask saw nothing but text.
      keepRows(edit, { ...main, rows: main.rows.filter(({ position }) => position < first) });
      const cost = outcome.rows.map((score) => nats(score) + penalty * (score.position - first));
      const least = Math.min(...cost);
      const passing = outcome.rows.filter((_, index) => cost[index] < entropy);
      const chosen = passing.length > 0 ? passing : outcome.rows.slice(cost.indexOf(least)).slice(0, 1);
      const reason = passing.length > 0 ? 'commit' : 'promote-best';
      for (const { position, token, confidence } of chosen)
        edit.transit(position, { state: 'S', token, confidence }, reason);
      const open = firstOpen(edit.canvas());
      const end = Math.min(canvas.window.end + (open - first), totalLength(canvas));
      for (const position of positionsOf({ start: canvas.window.end, end }))
        edit.transit(position, { state: 'IV' }, 'window');
      const after = edit.canvas({
        block: open - canvas.promptLength,
        window: { start: first, end },
        step: canvas.step + 1,
        nextVersion: canvas.nextVersion + 1,
      });
      const { transitions } = edit;
      return { canvas: after, transitions, dropped: [], accepted: [], liveKv: liveKv(after) };
    },
  };
}
