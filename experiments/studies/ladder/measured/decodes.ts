import { join } from 'node:path';
import { DeviceError } from '../../../../hw/device-error.js';
import { type DeviceRecord, writeDeviceRecord } from '../../../../hw/record/device-record.js';
import type { Engine } from '../../../../src/engine/engine.js';
import { DllmError } from '../../../../src/errors.js';
import { WorkerEnded, withThreads } from '../../../lab/pool.js';
import type { ChosenProblem } from '../../../lab/problems.js';
import type { LadderRow } from '../ladder.js';
import { decodeOne, type MeasuredDecode } from './decode-one.js';
import { type DeviceAnswer, type DeviceSetup, type DeviceTask, DeviceWork } from './device-work.js';
import type { MeasuredLadderOptions } from './options.js';

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
  /** Told of decodes that are done. */
  readonly onDecodes?: (count: number) => void;
}

/** Does a task of the device, here or in another process. */
type Ask = (task: DeviceTask) => Promise<DeviceAnswer>;

/**
 * Decodes every prompt under the methods of some rows on one device, in a process of its own: a crash of a driver is told
 * like any other failure. The record is written where the device refused in the middle, too.
 * @throws DeviceError when it breaks down
 */
export async function measureDevice(
  name: string,
  rows: readonly LadderRow[],
  job: DecodeJob,
): Promise<MeasuredDevice> {
  const { signal } = job;
  const use = (ask: Ask) => measurePolicies(name, [...new Set(rows.map(({ policy }) => policy))], ask, job);
  const worker = new URL('./worker.js', import.meta.url);
  const apart = await withThreads<DeviceTask, DeviceAnswer, MeasuredDevice>(
    worker,
    1,
    'process',
    signal,
    ([thread]) => use(thread),
  );
  if (apart !== null) return apart;
  const here = new DeviceWork();
  return use((task) => here.run(task, signal));
}

async function measurePolicies(
  name: string,
  policies: readonly string[],
  ask: Ask,
  { options, signal, onDecodes }: DecodeJob,
): Promise<MeasuredDevice> {
  const { modelName: model, threads, seed, firstIndex, prompts, genLength, blockLength, out } = options;
  const setup: DeviceSetup = {
    model,
    device: name,
    threads,
    seed,
    firstIndex,
    prompts,
    genLength,
    blockLength,
  };
  const recordFile = `record-${name}.json`;
  const finish = async (failure: DeviceError['failure'] | null): Promise<DeviceRecord> => {
    const answer = await ask({ kind: 'finish', failure });
    if (answer.kind !== 'finished') throw new Error(`no record of ${name}`);
    writeDeviceRecord(join(out, recordFile), answer.record);
    return answer.record;
  };
  const decodes = new Map<string, readonly MeasuredDecode[]>();
  for (const policy of policies) {
    const answer = await ask({ kind: 'decode', setup, policy }).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (!(error instanceof WorkerEnded)) throw error;
      const reason = 'the process ended while it computed: a native library crashed, or it was killed';
      throw new DeviceError(
        { kind: 'crashed', stage: `${policy} on ${name}`, reason },
        'Run it again, or take --device cpu',
      );
    });
    signal?.throwIfAborted();
    if (answer.kind === 'failed') {
      if (answer.failure === null) throw new DllmError(answer.message, answer.exitCode);
      await finish(answer.failure);
      throw new DeviceError(answer.failure);
    }
    if (answer.kind !== 'decoded') throw new Error(`${name} decoded nothing`);
    decodes.set(policy, answer.decodes);
    onDecodes?.(answer.decodes.length);
  }
  return { name, recordFile, record: await finish(null), decodes };
}

/** Tokens of every prompt under a method on another engine. */
export async function referenceTokens(
  engine: Engine,
  policy: string,
  { options, problems, signal, onDecodes }: DecodeJob,
): Promise<(readonly number[])[]> {
  const tokens: (readonly number[])[] = [];
  for (const problem of problems) {
    tokens.push((await decodeOne(engine, policy, problem, options, signal)).tokens);
    onDecodes?.(1);
  }
  return tokens;
}
