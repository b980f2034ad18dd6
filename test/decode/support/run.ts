import { checkLaws, describeViolation } from '../../../src/decode/laws/check.js';
import { composePolicy, type PolicyInputs } from '../../../src/decode/method/compose.js';
import { type DecodeResult, decode } from '../../../src/decode/method/session.js';
import { lawsGivenUp } from '../../../src/decode/parts.js';
import type { PolicySpecInput } from '../../../src/decode/spec.js';
import type { Workload } from './arbitraries.js';
import { RandomTimer } from './random-timer.js';
import { TOY_MASK, ToyEngine } from './toy-engine.js';

/** Small tiles, so that lookahead meets bucket edges with the short blocks of these tests. */
export const SMALL_TILES: PolicyInputs = { latencyTable: (rows) => 1 + Math.ceil(rows / 4) };

/** Decodes a workload with the toy engine and lists the laws it broke. */
export async function runToy(
  spec: PolicySpecInput,
  work: Workload,
): Promise<{ result: DecodeResult; engine: ToyEngine; broken: string[] }> {
  const policy = composePolicy(spec, SMALL_TILES);
  const engine = new ToyEngine(work);
  const genLength = work.blocks * policy.spec.blockLength;
  const result = await decode({
    policy,
    engine,
    promptIds: work.promptIds,
    genLength,
    ...(work.timerSeed === null ? {} : { timer: new RandomTimer(work.timerSeed) }),
  });
  const context = {
    start: policy.start(work.promptIds, genLength, TOY_MASK),
    stepBudget: policy.stepBudget(genLength),
    givenUp: lawsGivenUp(policy.spec).map(({ part }) => part),
  };
  return { result, engine, broken: checkLaws(context, result.steps).map(describeViolation) };
}
