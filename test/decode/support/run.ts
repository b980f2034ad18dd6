import { checkLaws, describeViolation } from '../../../src/decode/laws/check.js';
import type { LawContext } from '../../../src/decode/laws/law.js';
import { composePolicy, type DecodingPolicy, type PolicyInputs } from '../../../src/decode/method/compose.js';
import { shownBy } from '../../../src/decode/method/fits.js';
import { type DecodeResult, decode, maskFor } from '../../../src/decode/method/session.js';
import { factsOf, lawsGivenUp } from '../../../src/decode/parts.js';
import type { PolicySpec, PolicySpecInput } from '../../../src/decode/spec.js';
import type { ModelConfig } from '../../../src/model/config.js';
import type { Workload } from './arbitraries.js';
import { RandomTimer } from './random-timer.js';
import { TOY_CONFIG, ToyEngine } from './toy-engine.js';

/** Small tiles, so that lookahead meets bucket edges with the short blocks of these tests. */
export const SMALL_TILES: PolicyInputs = { latencyTable: (rows) => 1 + Math.ceil(rows / 4) };

/** A model that was trained to see what a policy shows, and to say what it reads. */
export function trainedFor(
  spec: PolicySpec,
): Pick<ModelConfig, 'attention' | 'alsoCausal' | 'blockLength' | 'shiftLogits' | 'orders'> {
  const shiftLogits = factsOf(spec).cache.opens === 'predicted';
  const { orders } = factsOf(spec).commit;
  return { ...shownBy(spec), shiftLogits, orders };
}

/** The toy engine for a workload, trained to see what a policy shows. */
export function toyFor(spec: PolicySpec, work: Workload): ToyEngine {
  return new ToyEngine({ ...work, trained: trainedFor(spec) });
}

/** What the law checker needs to know of a decode. */
export function lawContext(
  policy: DecodingPolicy,
  promptIds: readonly number[],
  genLength: number,
): LawContext {
  const config = { ...TOY_CONFIG, ...trainedFor(policy.spec) };
  return {
    trained: config,
    start: policy.start(promptIds, genLength, maskFor(policy, config), { endIds: config.endIds }),
    stepBudget: policy.stepBudget(genLength),
    givenUp: lawsGivenUp(policy.spec).map(({ part }) => part),
  };
}

/** Decodes a workload with the toy engine and lists the laws it broke. */
export async function runToy(
  spec: PolicySpecInput,
  work: Workload,
): Promise<{ result: DecodeResult; engine: ToyEngine; broken: string[] }> {
  const policy = composePolicy(spec, SMALL_TILES);
  const engine = toyFor(policy.spec, work);
  const genLength = work.blocks * policy.spec.blockLength;
  const { promptIds, timerSeed } = work;
  const timer = timerSeed === null ? undefined : new RandomTimer(timerSeed);
  const result = await decode({ policy, engine, promptIds, genLength, timer });
  const context = lawContext(policy, promptIds, genLength);
  return { result, engine, broken: checkLaws(context, result.steps).map(describeViolation) };
}
