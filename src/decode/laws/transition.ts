import { logicalOutcomes, logicalPasses } from '../../pass/groups.js';
import type { Pass, RowOutcome } from '../../pass/pass.js';
import { blockOf } from '../canvas/geometry.js';
import type { Transition } from '../canvas/types.js';
import { isMasked, type StepView, type TrackedCanvas } from './tracked.js';

/** What a change may be, by its reason; then the position holds what it says. */
export function checkTransition(canvas: TrackedCanvas, t: Transition, view: StepView): void {
  const now = canvas.at(t.position);
  if (now === undefined || now.state !== t.from || now.token !== t.tokenBefore) {
    canvas.fault('transition-from', t.position, `transition from ${t.from} does not fit the position`);
    if (now === undefined) return;
  }
  if (t.from === 'S') canvas.fault('stable-change', t.position, `a stable position changes (${t.reason})`);
  const given = isMasked(t.from) && !isMasked(t.to);
  checkBlock(canvas, t, view);
  if (!isMasked(t.to) && t.token === canvas.start.maskId)
    canvas.fault('mask-token', t.position, `${t.to} with the mask token`);

  if (t.reason === 'draft-carried') checkCarried(canvas, t, view);
  else if (t.reason === 'draft-accepted') checkAccepted(canvas, t, view);
  else if (t.reason === 'revoke') checkRevoked(canvas, t, view);
  else if (t.reason === 'shift') checkShifted(canvas, t, view);
  else if (t.reason === 'stop') checkStopped(canvas, t, view);
  else if (t.reason === 'refresh') checkRefreshed(canvas, t, view);
  else if (t.reason === 'window' || t.reason === 'final') {
    if (isMasked(t.from) !== isMasked(t.to) || t.token !== t.tokenBefore)
      canvas.fault('bookkeeping', t.position, `${t.reason} changes the token`);
  } else if (given && !says(scoreOf(t, view), t)) {
    canvas.fault('committed-unscored', t.position, `${t.reason} without logits of this step that say so`);
  } else if (!isMasked(t.to) && t.token !== t.tokenBefore && !says(scoreOf(t, view), t)) {
    canvas.fault('revised-unscored', t.position, `${t.reason} without logits of this step that say so`);
  }
  now.state = t.to;
  now.token = t.token;
  if (!isMasked(t.to)) now.draft = null;
}

function checkBlock(canvas: TrackedCanvas, t: Transition, { block, main }: StepView): void {
  const own = blockOf(canvas.start, t.position);
  const entered = t.reason === 'draft-carried' && own === canvas.openBlock();
  // Several tokens of one causal pass, each of which is the next.
  const flows = main.visibility === 'causal' && own === canvas.openBlock();
  const stopped = t.reason === 'stop' || canvas.givenUp.has('B1-one-block');
  if (isMasked(t.from) !== isMasked(t.to) && own !== block && !entered && !flows && !stopped)
    canvas.fault('block-order', t.position, `${t.from} to ${t.to} in block ${own}, block ${block} is open`);
}

/** What the main pass said about a position; undefined when it did not decide anything or had no logits there. */
function scoreOf({ position }: Transition, { main, outcome }: StepView): RowOutcome | undefined {
  if (main.kind === 'refresh' || outcome?.passId !== main.id) return undefined;
  // What caches text says the token after it, and so does a causal row.
  if (main.kind !== 'denoise') return outcome.rows.find((candidate) => candidate.position === position - 1);
  const row = main.visibility === 'causal' ? position - 1 : position;
  return logicalOutcomes(main, outcome)[0].rows.find((candidate) => candidate.position === row);
}

/** A row that was asked for another token than its best says both, as sure as it is of the best. */
function says(score: RowOutcome | undefined, { token, confidence }: Transition): boolean {
  if (score === undefined || score.confidence !== confidence) return false;
  return score.token === token || (score.instead !== undefined && score.instead === token);
}

function checkAccepted(canvas: TrackedCanvas, t: Transition, view: StepView): void {
  const score = scoreOf(t, view);
  if (score === undefined)
    canvas.fault('draft-unscored', t.position, `${t.reason} without logits of this step`);
  else {
    if (score.token !== t.token)
      canvas.fault('draft-token', t.position, `accepted token ${t.token}, the logits say ${score.token}`);
    if (score.confidence !== t.confidence)
      canvas.fault('draft-confidence', t.position, 'accepted at another confidence than the logits give');
  }
  if (canvas.at(t.position).draft === null)
    canvas.fault('draft-unknown', t.position, 'accepted a draft that does not exist');
}

function checkCarried(canvas: TrackedCanvas, t: Transition, view: StepView): void {
  // The draft may be of this very step.
  const known = [canvas.at(t.position).draft, scoreOf(t, view)];
  if (!known.some((draft) => draft?.token === t.token && draft.confidence === t.confidence))
    canvas.fault('carried-unknown', t.position, 'carried a draft that does not exist');
  if (!canvas.givenUp.has('B3-fresh-logits'))
    canvas.fault('carried-stale', t.position, 'a draft was accepted without fresh logits');
}

function checkRevoked(canvas: TrackedCanvas, t: Transition, { main, outcome }: StepView): void {
  const shadows = outcome === undefined ? [] : (logicalOutcomes(main, outcome)[1]?.rows ?? []);
  const isAsked = logicalPasses(main)[1]?.rows.some(
    ({ position, asks }) => position === t.position && asks === t.tokenBefore,
  );
  const weak =
    isAsked && shadows.some(({ position, asked }) => position === t.position && asked === t.confidence);
  if (!weak || t.to !== 'IV')
    canvas.fault('revoked-unscored', t.position, 'revoked without a shadow row that says so');
}

function checkShifted(canvas: TrackedCanvas, t: Transition, { held, block }: StepView): void {
  const here = blockOf(canvas.start, t.position) === block && canvas.givenUp.has('B1-edits');
  const comes = isMasked(t.to) && t.token === canvas.start.maskId;
  if (!here || (!comes && !held.has(t.token)))
    canvas.fault('shifted-unheld', t.position, `token ${t.token} moves here, and the block did not hold it`);
}

function checkStopped(canvas: TrackedCanvas, t: Transition, { block }: StepView): void {
  const { promptLength, given, endIds } = canvas.start;
  const end = canvas.positions.findIndex(
    ({ state, token }, at) => at >= promptLength + given && !isMasked(state) && token === t.token,
  );
  const behind = end >= 0 && blockOf(canvas.start, end) < blockOf(canvas.start, t.position);
  if (t.to !== 'S' || !endIds.includes(t.token) || !behind || canvas.openBlock() <= block)
    canvas.fault('stop-without-end', t.position, 'given up without an end token in a finished block');
}

function checkRefreshed(canvas: TrackedCanvas, t: Transition, { main, outcome, landed }: StepView): void {
  const own = main.kind === 'refresh' && outcome !== undefined ? [{ pass: main, outcome }] : [];
  const scored = (pass: Pass): boolean => pass.logits.some((row) => pass.rows[row].position === t.position);
  const by = [...landed.values(), ...own].filter(({ pass }) => scored(pass));
  if (by.length === 0) {
    canvas.fault('landing-none', t.position, 'refreshed by no pass that landed in this step');
    return;
  }
  // It takes what the logits say, or stays as it was.
  const kept = t.token === t.tokenBefore && t.to === t.from;
  const score = by.flatMap((launched) => launched.outcome.rows).filter((row) => row.position === t.position);
  if (!kept && !score.some((row) => says(row, t)))
    canvas.fault('refreshed-unscored', t.position, 'refreshed to something its logits do not say');
}
