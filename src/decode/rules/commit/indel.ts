import { z } from 'zod';
import type { RowOutcome } from '../../../pass/pass.js';
import { blockRange, isUndecided, positionsOf } from '../../canvas/geometry.js';
import type { BlockEdits, Canvas } from '../../canvas/types.js';
import { defineRule } from '../definition.js';
import type { Moved, Rearranged, Verdict } from '../rule.js';
import { byConfidence, FINAL_TOKENS, PARALLEL_COMMIT, THRESHOLDS, unit } from './by-confidence.js';

interface Options {
  readonly deleteId: number;
  readonly splitId: number;
  readonly tau: number;
  readonly edit: number;
  readonly edits: number;
}

/** Nothing was edited in a block yet. */
const UNTOUCHED: Omit<BlockEdits, 'original'> = { seen: [], tried: {}, filled: 0, passes: 0 };

/**
 * JointThresholdInDel of LLaDA2.2 (SGLang `joint_threshold_indel`): as `joint-threshold`, with two tokens that are orders. DELETE where it is
 * written takes its position away, what is right of it moves left, and a mask comes in at the end of the block; SPLIT puts a mask
 * before the token it was written over, and the last position of the block goes. While original masks are left, one more than there are
 * new ones is filled at least. A state of the block that comes back is left by another token at the least sure position that changes. A
 * block ends when a pass changes nothing; in the pass after `edits` passes without original masks, or after as many more than it has
 * positions, no order is taken and everything is filled.
 *
 * Not taken over: orders left of a token that stands already (published code moves tokens of the prompt with the rest), and thresholds
 * of later versions that are off by default.
 */
export const indel = defineRule(
  'commit',
  z.strictObject({
    kind: z.literal('indel'),
    deleteId: z
      .int()
      .min(0)
      .describe('token that takes its position away; delete_token_id of the checkpoint'),
    splitId: z
      .int()
      .min(0)
      .describe('token that puts a mask before another; split_token_id of the checkpoint'),
    tau: unit
      .default(0.5)
      .describe('confidence to be exceeded by a mask; threshold of SGLang joint_threshold_indel'),
    edit: unit
      .default(0)
      .describe('confidence to be exceeded by another token; edit_threshold of SGLang joint_threshold_indel'),
    edits: z
      .int()
      .min(0)
      .default(16)
      .describe(
        'passes over a block without original masks; max_post_edit_steps of SGLang joint_threshold_indel',
      ),
  }),
)({
  facts: ({ tau, edit, deleteId, splitId }) => ({
    ...FINAL_TOKENS,
    bar: tau,
    edit,
    orders: { deleteId, splitId },
  }),
  rule: (options) => ({
    edits: options.edits + 1,
    decide: () => {
      throw new Error('indel rearranges its block');
    },
    excludes: (canvas, position) => excluded(canvas, position, options),
    rearrange: (canvas, rows) => rearranged(canvas, rows, options),
    stateFor: () => 'V',
  }),
  contradicts({ deleteId, splitId }, { window, cache, speculate, revoke, refresh, final, guidance }) {
    const needs: readonly (readonly [boolean, string])[] = [
      [deleteId !== splitId, 'two different tokens for deleteId and splitId'],
      [cache.seal !== 'delayed' && !window.lookahead, 'a window that stays until its block is finished'],
      [!cache.stores || cache.serves !== 'whole canvas', 'no cache of tokens that may still change'],
      [!speculate.futureRows && !speculate.widens, 'speculate none'],
      [guidance === 0, 'guidance 0'],
      [!revoke.shadows, 'revoke none'],
      [!refresh.launches && !final.sweeps, 'nothing refreshed or swept'],
    ];
    return needs.flatMap(([met, need]) => (met ? [] : [`commit indel moves tokens in its block: ${need}`]));
  },
  givesUp: () => [
    { part: 'B1-edits', because: 'tokens of a block without masks may still change' },
    { part: 'D4-every-step', because: 'a pass may bring as many masks in as it fills' },
  ],
  technique: () => PARALLEL_COMMIT,
  draws: () => ({
    deleteId: [2, 3],
    splitId: [4],
    tau: THRESHOLDS,
    edit: THRESHOLDS,
    edits: [0, 1, 3, 16],
  }),
});

/** Positions of the open block, without what stood there before: tokens of the prompt, and such as were given. */
function own(canvas: Canvas): number[] {
  return positionsOf(blockRange(canvas, canvas.block)).filter((at) => canvas.positions[at].state !== 'S');
}

/** First position of the block that may move: none right of it stands already. */
function movable(canvas: Canvas): number {
  const { start, end } = blockRange(canvas, canvas.block);
  for (let at = end - 1; at >= start; at--) if (canvas.positions[at].state === 'S') return at + 1;
  return start;
}

function historyOf(canvas: Canvas): BlockEdits {
  if (canvas.edited !== null) return canvas.edited;
  return { ...UNTOUCHED, original: own(canvas).filter((at) => isUndecided(canvas, at)) };
}

/** The block as a text: what comes back has been here. */
const stateOf = (canvas: Canvas): string =>
  own(canvas)
    .map((at) => canvas.positions[at].token)
    .join();

/** Whether this pass ends the block. */
function isLast(canvas: Canvas, { edits }: Options): boolean {
  const { original, filled, passes } = historyOf(canvas);
  return (original.length === 0 && filled + 1 > edits) || passes >= canvas.blockLength + edits;
}

/** Tokens that a row may have to do without: orders where none is taken, what was tried in a state that has come back. */
function excluded(canvas: Canvas, position: number, options: Options): readonly number[] | undefined {
  if (canvas.positions[position].state === 'S') return undefined;
  const orders = [options.deleteId, options.splitId];
  if (isLast(canvas, options)) return orders;
  const { seen, tried } = historyOf(canvas);
  const before = seen.includes(stateOf(canvas)) ? (tried[position] ?? []) : [];
  const none = position < movable(canvas) ? [...before, ...orders] : before;
  return none.length === 0 ? undefined : none;
}

function rearranged(canvas: Canvas, rows: readonly RowOutcome[], options: Options): Rearranged {
  const { deleteId, splitId, tau, edit } = options;
  const history = historyOf(canvas);
  const last = isLast(canvas, options);
  const free = movable(canvas);
  const isOrder = (token: number): boolean => token === deleteId || token === splitId;
  const said = new Map<number, RowOutcome>();
  for (const row of rows) {
    const { position, token, instead = token } = row;
    said.set(position, isOrder(token) && (last || position < free) ? { ...row, token: instead } : row);
  }
  const scored = own(canvas).flatMap((at) => said.get(at) ?? []);
  const masks = scored.filter(({ position }) => isUndecided(canvas, position));
  const written = [
    ...filled(masks, history, last, tau),
    ...scored.filter(
      ({ position, token, confidence }) =>
        !isUndecided(canvas, position) && token !== canvas.positions[position].token && confidence > edit,
    ),
  ].sort((a, b) => a.position - b.position);
  if (written.length === 0) return { verdicts: [], moved: [], edited: null };

  const state = stateOf(canvas);
  if (history.seen.includes(state) && !last) leaveLoop(written);
  const tried = { ...history.tried };
  for (const { position, token } of written)
    tried[position] = [...new Set([...(tried[position] ?? []), token])];

  const token = new Map(own(canvas).map((at) => [at, canvas.positions[at].token]));
  for (const { position, token: now } of written) token.set(position, now);
  const result = obeyed(canvas, token, history.original, written, options);
  const verdicts = written.map(
    (row): Verdict => ({
      ...row,
      state: 'V',
      reason: isUndecided(canvas, row.position) ? 'commit' : 'revise',
    }),
  );
  const seen = history.seen.includes(state) ? history.seen : [...history.seen, state];
  const edited: BlockEdits = {
    original: result.original,
    seen,
    tried,
    filled: history.filled + (history.original.length === 0 ? 1 : 0),
    passes: history.passes + 1,
  };
  return { verdicts, moved: result.moved, edited: last ? null : edited };
}

/** Masks that get a token: all of them once no original one is left, else those above the threshold, or the surest there must be. */
function filled(
  masks: readonly RowOutcome[],
  { original }: BlockEdits,
  last: boolean,
  tau: number,
): readonly RowOutcome[] {
  if (last || original.length === 0) return masks;
  const least = 1 + masks.filter(({ position }) => !original.includes(position)).length;
  const above = masks.filter(({ confidence }) => confidence > tau);
  return above.length >= least ? above : [...masks].sort(byConfidence).slice(0, least);
}

/** Of a state that was there before, the least sure position that changes takes a token that was not tried there. */
function leaveLoop(written: RowOutcome[]): void {
  const least = written.reduce((a, b) => (b.confidence < a.confidence ? b : a));
  if (least.instead !== undefined) written[written.indexOf(least)] = { ...least, token: least.instead };
}

interface Held {
  readonly token: number;
  readonly confidence: number;
  readonly isOriginal: boolean;
}

/** The block after its orders: what every position holds then, where that is not what was written there. */
function obeyed(
  canvas: Canvas,
  token: ReadonlyMap<number, number>,
  original: readonly number[],
  written: readonly RowOutcome[],
  { deleteId, splitId }: Options,
): { readonly moved: readonly Moved[]; readonly original: readonly number[] } {
  const { end } = blockRange(canvas, canvas.block);
  const start = movable(canvas);
  const free = positionsOf({ start, end });
  const mask: Held = { token: canvas.maskId, confidence: 0, isOriginal: false };
  const sure = new Map(written.map(({ position, confidence }) => [position, confidence]));
  const now = (at: number): Held => ({
    token: token.get(at) ?? canvas.maskId,
    confidence: sure.get(at) ?? canvas.positions[at].confidence,
    isOriginal: original.includes(at),
  });
  const before = (at: number): Held => ({
    token: canvas.positions[at].token,
    confidence: canvas.positions[at].confidence,
    isOriginal: original.includes(at),
  });
  const line = free.flatMap((at): Held[] => {
    if (now(at).token === deleteId) return [];
    return now(at).token === splitId ? [mask, before(at)] : [now(at)];
  });
  const held = free.map((_, index) => line[index] ?? mask);
  const left = original.filter((at) => at < start && !sure.has(at));
  return {
    moved: free.flatMap((position, index) => {
      const { token: next, confidence } = held[index];
      return next === token.get(position) ? [] : [{ position, token: next, confidence }];
    }),
    original: [
      ...left,
      ...free.filter((_, index) => held[index].isOriginal && held[index].token === canvas.maskId),
    ],
  };
}
