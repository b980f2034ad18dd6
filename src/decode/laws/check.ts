import { blockCount, blockOf, blockRange, positionsOf } from '../canvas/geometry.js';
import type { Canvas } from '../canvas/types.js';
import type { StepRecord } from '../method/step-record.js';
import type { LawPart } from '../rules/law-parts.js';
import { logicalSteps } from './logical-steps.js';
import { StepChecker } from './step.js';

/**
 * - B1 blocks complete strictly left to right; B2 a draft never writes durable KV; B3 a draft is accepted only on
 *   logits of the same step;
 * - D1 a stable position never changes (token, KV, version); D2 only stable positions enter the long-term prefix,
 *   with KV made from their final token; D3 every pass reads the snapshot at the start of its step and a refresh
 *   lands whole or not at all; D4 every step makes progress, within the step budget, and no mask is left;
 *   D5 an invisible position in the window gets logits in every denoising step; D7 at the end every visible
 *   position is reported;
 * - `trace` the record contradicts itself.
 */
export type Law = 'B1' | 'B2' | 'B3' | 'D1' | 'D2' | 'D3' | 'D4' | 'D5' | 'D7' | 'trace';

/** A place where a record breaks a law. */
export interface Violation {
  /** Which one. */
  readonly law: Law;
  /** From 0. */
  readonly step: number;
  /** Null when the whole step is at fault. */
  readonly position: number | null;
  /** What is wrong. */
  readonly message: string;
}

export interface LawContext {
  /** Canvas the decode started from. */
  readonly start: Canvas;
  /** Most steps it may take. */
  readonly stepBudget: number;
  /** Parts of laws that the policy gives up by design (`lawsGivenUp`). */
  readonly givenUp: readonly LawPart[];
}

export type CheckedStep = Omit<StepRecord, 'timing'>;

/**
 * Checks the laws of decoding on a finished decode, from its records alone: no policy and no engine code runs.
 * Empty when all hold.
 */
export function checkLaws(context: LawContext, steps: readonly CheckedStep[]): Violation[] {
  const { start } = context;
  const checker = new StepChecker(start, new Set(context.givenUp));
  steps.forEach((step, index) => {
    for (const logical of logicalSteps(step)) checker.check(logical, index);
  });
  const violations = checker.violations;
  const last = steps.length - 1;
  const add = (law: Law, position: number | null, message: string): void => {
    violations.push({ law, step: last, position, message });
  };
  if (steps.length > context.stepBudget) {
    add('D4', null, `${steps.length} steps exceed the budget of ${context.stepBudget}`);
  }
  const reported = new Set(
    (steps[last]?.transitions ?? []).filter((t) => t.reason === 'final').map((t) => t.position),
  );
  for (let block = 0; block < blockCount(start); block++) {
    for (const position of positionsOf(blockRange(start, block))) {
      const { state, token } = checker.at(position);
      if (state === 'M' || state === 'IV' || token === start.maskId) {
        add('D4', position, `still ${state} at the end, in block ${blockOf(start, position)}`);
      }
      if (state === 'V' && !reported.has(position))
        add('D7', position, 'visible at the end but not reported');
    }
  }
  return violations;
}

/** One line per violation. */
export function describeViolation({ law, step, position, message }: Violation): string {
  return `law ${law}, step ${step}${position === null ? '' : `, position ${position}`}: ${message}`;
}
