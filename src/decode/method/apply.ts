import { CheckError } from '../../errors.js';
import { groupsOf, logicalOutcomes, logicalPasses } from '../../pass/groups.js';
import { checkOutcome } from '../../pass/outcome.js';
import type { Pass, PassOutcome, RowOutcome, StepPlan } from '../../pass/pass.js';
import { CanvasEdit } from '../canvas/edit.js';
import {
  blockCount,
  blockOf,
  blockRange,
  contains,
  isUndecided,
  maskedInBlock,
  positionsOf,
} from '../canvas/geometry.js';
import { keepRows, liveKv } from '../canvas/kv.js';
import type { AcceptedGroup, ApplyResult, Canvas, RefreshTarget } from '../canvas/types.js';
import type { Rules, Verdict } from '../rules/rule.js';
import { isFinished } from './plan.js';
import { landTickets, ticketsOf } from './refresh-ledger.js';

/**
 * Commit, accept drafts, revise, revoke: what a denoising pass decides.
 * @returns positions that got a token, and those that were revised: in a block that is edited, those whose token changed
 */
function decide(
  rules: Rules,
  canvas: Canvas,
  edit: CanvasEdit,
  scores: readonly RowOutcome[],
  shadows: readonly RowOutcome[],
): { readonly promoted: number; readonly edited: number } {
  const stateOf = (score: RowOutcome) => canvas.positions[score.position].state;
  const undecided = scores.filter((score) => stateOf(score) === 'IV' || stateOf(score) === 'M');
  const current = rules.commit.ahead
    ? undecided
    : undecided.filter((score) => blockOf(canvas, score.position) === canvas.block);

  const chosen = new Map<number, Verdict>();
  if (current.length > 0) {
    const draftOf = (score: RowOutcome) => canvas.positions[score.position].draft;
    const free = current.filter((score) => {
      const draft = draftOf(score);
      return draft === null || !rules.speculate.withholds(draft, score);
    });
    // If every mask is a withheld draft, progress (D4) comes before the equality rule.
    for (const verdict of rules.commit.decide(canvas, free.length > 0 ? free : current, scores)) {
      chosen.set(verdict.position, verdict);
    }
    for (const score of current) {
      const draft = draftOf(score);
      if (draft !== null && rules.speculate.accepts(draft, score)) {
        chosen.set(score.position, {
          ...score,
          state: rules.commit.stateFor(score.confidence),
          reason: 'draft-accepted',
        });
      }
    }
  }
  for (const score of undecided) {
    const isCurrent = blockOf(canvas, score.position) === canvas.block;
    const draft = rules.speculate.next(canvas.positions[score.position], score, isCurrent, canvas.step);
    edit.patch(score.position, { draft });
  }
  const visible = scores.filter((score) => stateOf(score) === 'V');
  const revised = rules.revise.decide(canvas, visible, chosen.size);
  const verdicts = [...chosen.values(), ...revised, ...rules.revoke.decide(canvas, shadows, chosen.size)];
  verdicts.sort((a, b) => a.position - b.position);
  for (const { position, token, confidence, state, reason } of verdicts) {
    edit.transit(position, { state, token, confidence, draft: null }, reason);
  }
  return { promoted: chosen.size, edited: revised.length };
}

/** Whether a block stays open without masks, because its tokens may still change. */
function staysOpen({ commit }: Rules, before: Canvas, edited: number): boolean {
  if (commit.edits === undefined) return false;
  if (maskedInBlock(before).length > 0) return commit.edits > 0;
  return edited > 0 && before.edits + 1 < commit.edits;
}

/** Moves block and window forward and makes durable what the window leaves behind. */
function advance(
  rules: Rules,
  edit: CanvasEdit,
  pass: Pass,
  promoted: number,
  open = false,
): Pick<Canvas, 'block' | 'window' | 'blockSteps' | 'lastPromoted' | 'edits' | 'waited'> {
  let decided = edit.canvas();
  const { block, blockSteps } = decided;
  while (!open && decided.block < blockCount(decided) && maskedInBlock(decided).length === 0) {
    const entered = decided.block + 1;
    for (const position of positionsOf(blockRange(decided, entered))) {
      // A decided position has none.
      const { draft } = edit.at(position);
      if (draft === null || !rules.speculate.carries(draft)) continue;
      const { token, confidence } = draft;
      const to = rules.commit.stateFor(confidence);
      edit.transit(position, { state: to, token, confidence, draft: null }, 'draft-carried');
    }
    decided = { ...edit.canvas(), block: entered };
  }
  const isNewBlock = decided.block > block;
  if (isNewBlock && (rules.revoke.stableWithBlock || rules.commit.edits !== undefined)) {
    for (const position of positionsOf(blockRange(decided, block)))
      edit.transit(position, { state: 'S' }, 'stabilise');
  }
  const fed = new Map(pass.rows.map((row) => [row.position, row.feed]));
  const settled = (position: number): boolean => {
    const feed = fed.get(position);
    return feed !== undefined && rules.cache.settled(decided.positions[position], feed);
  };
  const window = rules.window.next(decided, settled, isNewBlock);
  // Where something is kept, no shadow rows and no rows that guide ride along.
  const kept = new Set(rules.cache.keeps(decided, window, pass));
  const waited = rules.cache.waits?.(decided, pass) ?? 0;
  keepRows(edit, { ...pass, rows: pass.rows.filter((row) => kept.has(row.position)) });
  for (const position of positionsOf(window)) {
    if (edit.at(position).state === 'M') edit.transit(position, { state: 'IV' }, 'window');
  }
  decided.positions.forEach(({ state }, position) => {
    if (state === 'IV' && !contains(window, position)) edit.transit(position, { state: 'M' }, 'window');
  });
  return {
    block: decided.block,
    window,
    blockSteps: isNewBlock ? 0 : blockSteps + 1,
    lastPromoted: isNewBlock ? null : promoted,
    edits: open && promoted === 0 ? decided.edits + 1 : 0,
    waited,
  };
}

/** What a rule does that moves tokens inside its block: what rows say, then where tokens have gone. */
function rearrange(
  rules: Rules,
  how: NonNullable<Rules['commit']['rearrange']>,
  edit: CanvasEdit,
  pass: Pass,
  scores: readonly RowOutcome[],
): Partial<Canvas> {
  const before = edit.canvas();
  const { verdicts, moved, edited } = how(before, scores);
  for (const { position, token, confidence, state, reason } of verdicts)
    edit.transit(position, { state, token, confidence, draft: null }, reason);
  for (const { position, token, confidence } of moved) {
    const state = token === before.maskId ? ('IV' as const) : ('V' as const);
    edit.transit(position, { state, token, confidence, draft: null }, 'shift');
  }
  const given = verdicts.filter(({ position }) => isUndecided(before, position)).length;
  return { ...advance(rules, edit, pass, given, edited !== null), edited };
}

/** The first token of the open block, said by the row before it in the pass that made that row durable. */
function openBlock(
  rules: Rules,
  edit: CanvasEdit,
  pass: Pass,
  rows: readonly RowOutcome[],
): ReturnType<typeof advance> {
  for (const { position, token, confidence } of rows) {
    const state = rules.commit.stateFor(confidence);
    edit.transit(position + 1, { state, token, confidence, draft: null }, 'commit');
  }
  const { blockSteps, lastPromoted, block } = edit.canvas();
  const moved = advance(rules, edit, pass, rows.length);
  return moved.block > block ? moved : { ...moved, blockSteps, lastPromoted };
}

/** A refresh on the main lane: lands at its own boundary. */
function landSweep(rules: Rules, canvas: Canvas, edit: CanvasEdit, pass: Pass, outcome: PassOutcome): void {
  outcome.rows.forEach((score, index) => {
    const position = canvas.positions[score.position];
    const target: RefreshTarget = {
      position: score.position,
      version: position.kv?.version ?? 0,
      token: position.token,
      feed: pass.rows[index].feed,
    };
    edit.transit(score.position, rules.refresh.land(position, target, pass.version, score), 'refresh', true);
  });
}

/** The canvas after a step, why it changed, and what the engine must keep. */
export function applyStep(
  rules: Rules,
  canvas: Canvas,
  plan: StepPlan,
  outcome: PassOutcome,
  landed: readonly PassOutcome[],
): ApplyResult {
  const main = plan.passes[0];
  if (plan.step !== canvas.step) {
    throw new CheckError(`plan of step ${plan.step} applied to a canvas at step ${canvas.step}`);
  }
  checkOutcome(main, outcome);
  const edit = new CanvasEdit(canvas);
  let moved: Partial<Canvas> = {};
  const accepted: AcceptedGroup[] = [];
  let sweeps = canvas.sweeps;
  switch (main.kind) {
    case 'prefill':
    case 'seal':
      logicalPasses(main).forEach((pass, group) => {
        keepRows(edit, pass);
        if (typeof main.visibility !== 'string') accepted.push({ group, transitions: 0 });
      });
      if (outcome.rows.length > 0) moved = openBlock(rules, edit, main, outcome.rows);
      break;
    case 'denoise': {
      const [scores, shadows] = logicalOutcomes(main, outcome);
      if (rules.commit.rearrange !== undefined) {
        moved = rearrange(rules, rules.commit.rearrange, edit, main, scores.rows);
        break;
      }
      const { promoted, edited } = decide(rules, canvas, edit, scores.rows, shadows?.rows ?? []);
      const open = maskedInBlock(edit.canvas()).length === 0 && staysOpen(rules, canvas, edited);
      moved = advance(rules, edit, main, promoted, open);
      break;
    }
    case 'refresh':
      landSweep(rules, canvas, edit, main, outcome);
      sweeps++;
      break;
  }
  const launched = [...canvas.inFlight, ...ticketsOf(canvas, plan)];
  const refreshed = landTickets(rules.refresh, edit, launched, landed, canvas.step);
  const next = edit.canvas({
    ...moved,
    sweeps,
    step: canvas.step + 1,
    nextVersion: 1 + Math.max(...plan.passes.flatMap(groupsOf).map(({ version }) => version)),
    inFlight: refreshed.inFlight,
  });
  if (!isFinished(rules, next)) {
    const { transitions } = edit;
    return { canvas: next, transitions, dropped: refreshed.dropped, accepted, liveKv: liveKv(next) };
  }
  // Law D7: what is still visible is reported; work nobody waits for is dropped.
  next.positions.forEach((position, index) => {
    if (position.state === 'V') edit.transit(index, {}, 'final', true);
  });
  const late = refreshed.inFlight.flatMap((ticket) =>
    ticket.targets.map(({ position }) => ({ passId: ticket.passId, position, reason: 'finished' as const })),
  );
  const done: Canvas = { ...next, inFlight: [] };
  return {
    canvas: done,
    transitions: edit.transitions,
    dropped: [...refreshed.dropped, ...late],
    accepted,
    liveKv: liveKv(done),
  };
}
