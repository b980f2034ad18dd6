import { CheckError } from '../../errors.js';
import type { PassOutcome, StepPlan } from '../../pass/pass.js';
import type { CanvasEdit } from '../canvas/edit.js';
import type { Canvas, DroppedRefresh, RefreshTarget, RefreshTicket } from '../canvas/types.js';
import type { RefreshRule } from '../rules/rule.js';

/** Tickets of the side passes a plan launches. */
export function ticketsOf(canvas: Canvas, plan: StepPlan): RefreshTicket[] {
  return plan.passes
    .filter((pass) => pass.lane === 'side')
    .map((pass) => ({
      passId: pass.id,
      passVersion: pass.version,
      launchedAt: plan.step,
      // Only the rows with logits are targets; others ride along as context.
      targets: pass.logits.map((index) => {
        const { position, feed } = pass.rows[index];
        const { kv, token } = canvas.positions[position];
        if (kv === null) throw new CheckError(`refresh of position ${position}, which has no durable KV`);
        return { position, version: kv.version, token, feed };
      }),
    }));
}

/**
 * Notes the entries that were computed with an old entry of a changed position in view: every entry as new as that
 * one or newer, those of the same refresh pass included, which saw the row of the old token.
 */
function markDependents(edit: CanvasEdit, changed: readonly RefreshTarget[]): void {
  for (let index = 0; index < edit.length; index++) {
    const { kv, state } = edit.at(index);
    if (kv === null || (state !== 'S' && state !== 'V')) continue;
    const saw = changed.some(({ position, version }) => position !== index && kv.version >= version);
    if (saw) edit.patch(index, { stale: true });
  }
}

/**
 * Delayed merge: finished refreshes land at this boundary, each as a whole or not at all. One whose target
 * changed since launch is superseded; one older than the policy allows is late.
 *
 * Landing order is by launch, not by the order the outcomes came in.
 * @throws CheckError when an outcome belongs to no ticket
 */
export function landTickets(
  rule: RefreshRule,
  edit: CanvasEdit,
  tickets: readonly RefreshTicket[],
  landed: readonly PassOutcome[],
  step: number,
): { inFlight: RefreshTicket[]; dropped: DroppedRefresh[] } {
  const outcomes = new Map(landed.map((outcome) => [outcome.passId, outcome]));
  const inFlight: RefreshTicket[] = [];
  const dropped: DroppedRefresh[] = [];
  for (const ticket of tickets) {
    const outcome = outcomes.get(ticket.passId);
    if (outcome === undefined) {
      inFlight.push(ticket);
      continue;
    }
    outcomes.delete(ticket.passId);
    const late = rule.maxAgeSteps !== null && step - ticket.launchedAt > rule.maxAgeSteps;
    const superseded = ticket.targets.some(({ position, version, token }) => {
      const now = edit.at(position);
      const open = now.state === 'V' || (now.state === 'S' && now.stale === true);
      return !open || now.kv?.version !== version || now.token !== token;
    });
    if (late || superseded) {
      const reason = superseded ? 'superseded' : 'late';
      dropped.push(
        ...ticket.targets.map(({ position }) => ({ passId: ticket.passId, position, reason }) as const),
      );
      continue;
    }
    const changed: RefreshTarget[] = [];
    for (const target of ticket.targets) {
      const score = outcome.rows.find((row) => row.position === target.position);
      if (score === undefined) {
        throw new CheckError(`refresh ${ticket.passId} has no outcome for position ${target.position}`);
      }
      const before = edit.at(target.position);
      const after = rule.land(before, target, ticket.passVersion, score);
      if (before.state === 'S') {
        edit.patch(target.position, { ...after, stale: undefined });
        continue;
      }
      edit.transit(target.position, { ...after, stale: undefined }, 'refresh', true);
      if (after.token !== before.token) changed.push(target);
    }
    if (rule.marksDependents) markDependents(edit, changed);
  }
  for (const passId of outcomes.keys()) throw new CheckError(`refresh ${passId} is not under way`);
  return { inFlight, dropped };
}
