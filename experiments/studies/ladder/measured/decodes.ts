import { join } from 'node:path';
import type { DeviceRecord } from '../../../../hw/record/device-record.js';
import { type GgmlSession, openGgmlSession } from '../../../../hw/session/ggml-session.js';
import { recorded } from '../../../../hw/session/recorded.js';
import { decode } from '../../../../src/decode/method/session.js';
import type { StepRecord } from '../../../../src/decode/method/step-record.js';
import type { Engine } from '../../../../src/engine/engine.js';
import { timePass } from '../../../../src/engine/pass-times.js';
import { openPolicy, openSpec } from '../../../lab/open.js';
import type { ChosenProblem } from '../../../lab/problems.js';
import type { LadderRow } from '../ladder.js';
import type { MeasuredLadderOptions } from './options.js';

/** A prompt decoded under a row's method, and the wall-clock time of it. */
export interface MeasuredDecode {
  readonly tokens: readonly number[];
  readonly steps: readonly StepRecord[];
  readonly ms: number;
  /** Of it, inside passes. */
  readonly passMs: number;
  readonly passes: number;
}

/** One device with the decodes of its methods, by policy. */
export interface MeasuredDevice {
  readonly name: string;
  readonly recordFile: string;
  readonly record: DeviceRecord;
  readonly decodes: ReadonlyMap<string, readonly MeasuredDecode[]>;
}

/** What every decode shares. */
export interface DecodeJob {
  readonly options: MeasuredLadderOptions;
  readonly problems: readonly ChosenProblem[];
  readonly signal?: AbortSignal;
  /** Told of every decode that is done. */
  readonly onDecode?: () => void;
}

/** Decodes every prompt under the methods of some rows on one device. Its record is written however it ends. */
export async function measureDevice(
  name: string,
  rows: readonly LadderRow[],
  job: DecodeJob,
): Promise<MeasuredDevice> {
  const { model, threads, out } = job.options;
  const recordFile = `record-${name}.json`;
  const session = await openGgmlSession({ model, device: name, threads, signal: job.signal });
  const { result, record } = await recorded(
    session,
    join(out, recordFile),
    (open) => measurePolicies(open, [...new Set(rows.map(({ policy }) => policy))], job),
    job.signal,
  );
  return { name, recordFile, record, decodes: result };
}

async function measurePolicies(
  session: GgmlSession,
  policies: readonly string[],
  job: DecodeJob,
): Promise<Map<string, MeasuredDecode[]>> {
  // Weights of a mapped file come into memory with the first pass, which no prompt is charged for.
  await timePass(session.engine, { rows: 1, context: 0, logitsRows: 1 }, 1, { signal: job.signal });
  const found = new Map<string, MeasuredDecode[]>();
  for (const policy of policies) {
    const decodes: MeasuredDecode[] = [];
    for (const problem of job.problems) {
      const before = session.passes;
      const began = performance.now();
      const { tokens, steps } = await decodeOne(session.engine, policy, problem, job);
      const ms = performance.now() - began;
      const after = session.passes;
      decodes.push({ tokens, steps, ms, passMs: after.ms - before.ms, passes: after.count - before.count });
      job.onDecode?.();
    }
    found.set(policy, decodes);
  }
  return found;
}

/** Tokens of every prompt under a method on another engine. */
export async function referenceTokens(
  engine: Engine,
  policy: string,
  job: DecodeJob,
): Promise<(readonly number[])[]> {
  const tokens: (readonly number[])[] = [];
  for (const problem of job.problems) {
    tokens.push((await decodeOne(engine, policy, problem, job)).tokens);
    job.onDecode?.();
  }
  return tokens;
}

function decodeOne(engine: Engine, policy: string, { promptIds }: ChosenProblem, job: DecodeJob) {
  const { genLength, blockLength } = job.options;
  return decode({
    policy: openPolicy(openSpec({ policy, options: {}, blockLength })),
    ...{ engine, promptIds, genLength, signal: job.signal },
  });
}
