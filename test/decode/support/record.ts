import type { Canvas } from '../../../src/decode/canvas/types.js';
import type { CheckedStep, LawContext } from '../../../src/decode/laws/law.js';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { decode } from '../../../src/decode/method/session.js';
import type { PolicySpecInput } from '../../../src/decode/spec.js';
import type { Workload } from './arbitraries.js';
import { RandomTimer } from './random-timer.js';
import { lawContext, SMALL_TILES, toyFor } from './run.js';

/** A sound decode, with the canvas before every step. */
export interface Recorded {
  readonly context: LawContext;
  readonly steps: readonly CheckedStep[];
  readonly before: readonly Canvas[];
}

export async function recordDecode(input: PolicySpecInput, work: Workload): Promise<Recorded> {
  const policy = composePolicy(input, SMALL_TILES);
  const genLength = work.blocks * policy.spec.blockLength;
  const { promptIds, timerSeed } = work;
  const context = lawContext(policy, promptIds, genLength);
  const before = [context.start];
  const { steps } = await decode({
    policy,
    engine: toyFor(policy.spec, work),
    promptIds,
    genLength,
    timer: timerSeed === null ? undefined : new RandomTimer(timerSeed),
    onStep: (_, canvas) => before.push(canvas),
  });
  return { context, steps, before };
}
