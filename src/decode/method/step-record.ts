import type { PassOutcome, StepPlan } from '../../pass/pass.js';
import type { AcceptedGroup, Canvas, Draft, DroppedRefresh, KvEntry, Transition } from '../canvas/types.js';
import type { StepTimes } from './timer.js';

/** A draft that was written or cleared in a step. */
export interface DraftWrite {
  /** In the whole sequence, prompt included. */
  readonly position: number;
  /** Null when it was cleared. */
  readonly draft: Draft | null;
}

/** Everything that happened in one step; one line of a trace. */
export interface StepRecord {
  /** The passes of the step. */
  readonly plan: StepPlan;
  /** Outcomes of the step's passes in plan order. Those of side passes take effect when they land. */
  readonly outcomes: readonly PassOutcome[];
  /** Side passes of this or earlier steps whose outcomes were handed to this step's boundary. */
  readonly landed: readonly string[];
  /** Every change of a position, in order. */
  readonly transitions: readonly Transition[];
  /** Refreshes that came to nothing. */
  readonly dropped: readonly DroppedRefresh[];
  /** Durable KV entries that appeared or changed. */
  readonly kvWrites: readonly KvEntry[];
  /** Drafts that appeared, changed or went. */
  readonly draftWrites: readonly DraftWrite[];
  /** Row groups of the main pass that were steps of the decode; empty when the pass has no groups. */
  readonly accepted: readonly AcceptedGroup[];
  /** Null without a timer. */
  readonly timing: StepTimes | null;
}

/** Durable entries that differ between two canvases. */
export function kvWritesBetween(before: Canvas, after: Canvas): KvEntry[] {
  return after.positions.flatMap(({ kv }, index) => {
    const old = before.positions[index].kv;
    const same = old !== null && kv !== null && old.version === kv.version && old.residency === kv.residency;
    return kv === null || same ? [] : [kv];
  });
}

export function draftWritesBetween(before: Canvas, after: Canvas): DraftWrite[] {
  return after.positions.flatMap(({ draft }, position) =>
    draft === before.positions[position].draft ? [] : [{ position, draft }],
  );
}
