import { decode } from '../../../../src/decode/method/session.js';
import type { StepRecord } from '../../../../src/decode/method/step-record.js';
import type { Engine } from '../../../../src/engine/engine.js';
import { openPolicy, openSpec } from '../../../lab/open.js';
import type { ChosenProblem } from '../../../lab/problems.js';

/** What is decoded for a prompt. */
export interface Answer {
  readonly genLength: number;
  readonly blockLength: number;
}

/** A prompt decoded under a row's method, and the wall-clock time of it. */
export interface MeasuredDecode {
  readonly tokens: readonly number[];
  readonly steps: readonly Pick<StepRecord, 'plan' | 'landed'>[];
  readonly ms: number;
  /** Of it, inside passes. */
  readonly passMs: number;
  readonly passes: number;
}

/** One answer under a policy, without a clock. */
export function decodeOne(
  engine: Engine,
  policy: string,
  { promptIds }: ChosenProblem,
  { genLength, blockLength }: Answer,
  signal?: AbortSignal,
) {
  const composed = openPolicy(openSpec({ policy, options: {}, blockLength }));
  return decode({ policy: composed, engine, promptIds, genLength, signal });
}
