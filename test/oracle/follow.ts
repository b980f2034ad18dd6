import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { factsOf } from '../../src/decode/parts.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpec, parsePolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import { RandomTimer } from '../decode/support/random-timer.js';
import { CASES, type Schedule, time, UNNAMED } from './plain-cases.js';
import type { Forward } from './plain-model.js';
import { scorer } from './plain-scores.js';
import { Witness } from './witness.js';

/** A named policy as a schedule sets it. */
export function specFor(name: string, schedule: Schedule): PolicySpec {
  return parsePolicySpec({
    ...policySpecByName(UNNAMED[name] ?? name),
    blockLength: schedule.blockLength,
    confidenceType: 'f64',
    ...CASES[name](schedule).change,
  });
}

/**
 * Decodes by the program, then by the policy's published loop on a forward that shares nothing with it, pass for pass.
 * @returns the tokens of both, and how many rows of logits were compared
 */
export async function followed(
  name: string,
  schedule: Schedule,
  engine: Engine,
  model: Forward,
): Promise<{
  readonly tokens: readonly number[];
  readonly answer: readonly number[];
  readonly rows: number;
}> {
  const { loop, sampling, delay } = CASES[name](schedule);
  const spec = specFor(name, schedule);
  const facts = factsOf(spec);
  const policy = composePolicy(spec, { latencyTable: time });
  const { promptIds } = schedule;
  const genLength = schedule.blocks * schedule.blockLength;
  const timer = delay === undefined ? undefined : new RandomTimer(schedule.seed, delay);
  const { steps, tokens } = await decode({ policy, engine, promptIds, genLength, timer });
  const witness = new Witness(model, steps);
  const mask = engine.config.maskId ?? engine.config.vocab;
  const answer = loop({
    witness,
    prompt: promptIds,
    genLength,
    blockLength: spec.blockLength,
    mask,
    score: scorer(mask, sampling),
    draws: facts.sampling.random || facts.confidence.random,
    ends: engine.config.endIds,
  });
  witness.end();
  return { tokens, answer, rows: witness.rows };
}
