import { blockCount, blockOf, blockRange, positionsOf } from '../canvas/geometry.js';
import type { CheckedStep, LawContext, Violation } from './law.js';
import { logicalSteps } from './logical-steps.js';
import { StepChecker } from './step.js';

/**
 * Checks the laws of decoding on a finished decode, from its records alone: no policy and no engine code runs.
 * Empty when all hold.
 */
export function checkLaws(context: LawContext, steps: readonly CheckedStep[]): Violation[] {
  const { start, stepBudget } = context;
  const checker = new StepChecker(start, new Set(context.givenUp), context.trained);
  steps.forEach((step, index) => {
    checker.checkWhole(step, index);
    for (const logical of logicalSteps(step)) checker.check(logical, index);
  });
  if (steps.length > stepBudget)
    checker.fault('budget', null, `${steps.length} steps exceed the budget of ${stepBudget}`);
  const last = steps.at(-1)?.transitions ?? [];
  const reported = new Set(last.filter((t) => t.reason === 'final').map((t) => t.position));
  for (let block = 0; block < blockCount(start); block++) {
    for (const position of positionsOf(blockRange(start, block))) {
      const { state, token } = checker.at(position);
      if (state === 'M' || state === 'IV' || token === start.maskId)
        checker.fault(
          'mask-left',
          position,
          `still ${state} at the end, in block ${blockOf(start, position)}`,
        );
      if (state === 'V' && !reported.has(position))
        checker.fault('visible-unreported', position, 'visible at the end but not reported');
    }
  }
  return checker.violations;
}

/** One line per violation. */
export function describeViolation({ law, step, position, message }: Violation): string {
  return `law ${law}, step ${step}${position === null ? '' : `, position ${position}`}: ${message}`;
}
