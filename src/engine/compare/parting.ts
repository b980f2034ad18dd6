import type { StepRecord } from '../../decode/method/step-record.js';
import type { DecodeWithMargins } from '../verify/verify-policy.js';

/** The first step at which two decodes of one prompt, with the same plans until then, decide differently. */
export interface Parting {
  readonly step: number;
  readonly position: number;
  /** `token`: another best token; `order`: the same best token, decided at another step. */
  readonly kind: 'token' | 'order';
  /** Best token of the engine and of the reference at this row; null when the step did not score it. */
  readonly token: number | null;
  readonly expected: number | null;
  /** Best minus second best logit of the reference at this row. */
  readonly referenceMargin: number | null;
  /** Difference of the two confidences. */
  readonly confidenceDifference: number | null;
}

/**
 * Where an engine's decode leaves that of the reference. A changed order of decisions counts: it is how a confidence
 * near a threshold shows, and every later difference may follow from it. Among several positions of the step the one
 * with the largest reference margin is named, so that a near-tie never hides a real difference.
 * Null when all decisions are the same.
 */
export function firstParting(run: DecodeWithMargins, expected: DecodeWithMargins): Parting | null {
  for (let at = 0; at < Math.max(run.steps.length, expected.steps.length); at++) {
    const positions = differing(run.steps[at], expected.steps[at]);
    if (positions.length === 0) continue;
    const partings = positions.map((position) => describe(run, expected, at, position));
    const weight = ({ kind, referenceMargin }: Parting) =>
      (kind === 'token' ? 1e6 : 0) + (referenceMargin ?? 0);
    return partings.reduce((worst, parting) => (weight(parting) > weight(worst) ? parting : worst));
  }
  return null;
}

function decisions(step: StepRecord | undefined): ReadonlyMap<number, string> {
  return new Map(step?.transitions.map(({ position, token, to }) => [position, `${to} ${token}`]));
}

function differing(step: StepRecord | undefined, other: StepRecord | undefined): number[] {
  const [mine, theirs] = [decisions(step), decisions(other)];
  return [...new Set([...mine.keys(), ...theirs.keys()])].filter(
    (position) => mine.get(position) !== theirs.get(position),
  );
}

function describe(
  run: DecodeWithMargins,
  expected: DecodeWithMargins,
  at: number,
  position: number,
): Parting {
  const rowOf = ({ steps }: DecodeWithMargins) =>
    steps[at]?.outcomes[0]?.rows.find((row) => row.position === position);
  const [mine, theirs] = [rowOf(run), rowOf(expected)];
  const record = expected.steps[at];
  const index = record?.outcomes[0]?.rows.findIndex((row) => row.position === position) ?? -1;
  const margins = record === undefined ? undefined : expected.margins.get(record.plan.passes[0].id);
  return {
    step: at,
    position,
    token: mine?.token ?? null,
    expected: theirs?.token ?? null,
    kind: mine !== undefined && theirs !== undefined && mine.token !== theirs.token ? 'token' : 'order',
    referenceMargin: margins?.[index] ?? null,
    confidenceDifference:
      mine === undefined || theirs === undefined ? null : Math.abs(mine.confidence - theirs.confidence),
  };
}
