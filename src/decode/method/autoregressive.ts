import type { Pass } from '../../pass/pass.js';
import { CanvasEdit } from '../canvas/edit.js';
import { blockRange, isLastBlockDone, positionsOf } from '../canvas/geometry.js';
import type { PolicySpecInput } from '../spec.js';
import { checkOutcome, keepRows, liveKv } from './apply.js';
import type { Steps } from './exact-speculation.js';

/** The baseline that diffusion is compared with: one token per forward, left to right. */
export const AUTOREGRESSIVE_SPEC = {
  name: 'autoregressive',
  description: 'one token per forward, left to right, on causal KV: how Llama and its kind decode',
  source: 'greedy next-token decoding; the autoregressive model that arXiv:2606.13740 compares with',
  blockLength: 1,
  window: { kind: 'next' },
  cache: { kind: 'prefix', seal: 'delayed' },
  commit: { kind: 'quota' },
  logits: 'active',
} as const satisfies PolicySpecInput;

/**
 * Next-token decoding of a causal model. The first pass runs the whole prompt, every later one the token that was
 * decided last; the KV of every row is durable at once, since nothing to its right can change it. All generated
 * positions get a token: where the text ends is for the reader of the answer to see.
 *
 * @param draws whether tokens are sampled, so that rows need the counter of their random number
 */
export function autoregressive(draws: boolean): Steps {
  return {
    plan(canvas) {
      if (isLastBlockDone(canvas)) return null;
      const next = blockRange(canvas, canvas.block).start;
      const first = canvas.positions[0].kv === null;
      const draw = canvas.promptLength + canvas.genLength - next;
      const rows = positionsOf({ start: first ? 0 : next - 1, end: next }).map((position) => ({
        position,
        feed: canvas.positions[position].token,
        ...(draws ? { draw } : {}),
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
      const next = edit.canvas({ block, window, step: step + 1, nextVersion: nextVersion + 1 });
      const { transitions } = edit;
      return { canvas: next, transitions, dropped: [], accepted: [], liveKv: liveKv(next) };
    },
  };
}
