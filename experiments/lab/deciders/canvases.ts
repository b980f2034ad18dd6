import type { Canvas } from '../../../src/decode/canvas/types.js';
import type { DecodingPolicy } from '../../../src/decode/method/compose.js';
import type { StepRecord } from '../../../src/decode/method/step-record.js';
import { CheckError } from '../../../src/errors.js';

/**
 * The canvas after each recorded step, as the policy's rules make it.
 * @param first canvas before the first step
 * @throws CheckError when a step lacks an outcome
 */
export function canvasesOf(
  policy: DecodingPolicy,
  first: Canvas,
  steps: readonly Pick<StepRecord, 'plan' | 'outcomes' | 'landed'>[],
): Canvas[] {
  const outcomes = new Map(
    steps.flatMap((step) => step.outcomes.map((outcome) => [outcome.passId, outcome] as const)),
  );
  let canvas = first;
  return steps.map(({ plan, outcomes: [main], landed }) => {
    if (main === undefined) throw new CheckError(`step ${plan.step} of the recording has no outcome`);
    const done = landed.flatMap((id) => outcomes.get(id) ?? []);
    canvas = policy.apply(canvas, plan, main, done).canvas;
    return canvas;
  });
}
