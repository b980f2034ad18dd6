import { DeviceError } from '../../../../hw/device-error.js';
import type { DeviceRecord, Failure } from '../../../../hw/record/device-record.js';
import { type GgmlSession, openGgmlSession } from '../../../../hw/session/ggml-session.js';
import { timePass } from '../../../../src/engine/pass-times.js';
import { DllmError } from '../../../../src/errors.js';
import { openModel, type TextModel } from '../../../lab/open.js';
import { type ChosenProblem, heldoutProblems } from '../../../lab/problems.js';
import { type Answer, decodeOne, type MeasuredDecode } from './decode-one.js';

/** What a device decodes; plain data. */
export interface DeviceSetup extends Answer {
  readonly model: string;
  readonly device: string;
  readonly threads: number | undefined;
  readonly seed: number;
  readonly firstIndex: number;
  readonly prompts: number;
}

export type DeviceTask =
  | { readonly kind: 'decode'; readonly setup: DeviceSetup; readonly policy: string }
  | { readonly kind: 'finish'; readonly failure: Failure | null };

/** An error crosses a process as what is said of it. */
export type DeviceAnswer =
  | { readonly kind: 'decoded'; readonly decodes: readonly MeasuredDecode[] }
  | { readonly kind: 'finished'; readonly record: DeviceRecord }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly exitCode: 1 | 2 | 3;
      readonly failure: Failure | null;
    };

interface Opened {
  readonly session: GgmlSession;
  readonly model: TextModel;
  readonly problems: readonly ChosenProblem[];
}

/** Decodes on one device, method by method, until it is told to finish. */
export class DeviceWork {
  private opened: Opened | null = null;

  async run(task: DeviceTask, signal?: AbortSignal): Promise<DeviceAnswer> {
    try {
      if (task.kind === 'finish') return { kind: 'finished', record: await this.finish(task.failure) };
      return { kind: 'decoded', decodes: await this.decode(task.setup, task.policy, signal) };
    } catch (error) {
      if (!(error instanceof DllmError)) throw error;
      const failure = error instanceof DeviceError ? error.failure : null;
      return { kind: 'failed', message: error.message, exitCode: error.exitCode, failure };
    }
  }

  private async decode(setup: DeviceSetup, policy: string, signal?: AbortSignal): Promise<MeasuredDecode[]> {
    this.opened ??= await open(setup, signal);
    const { session, problems } = this.opened;
    const decodes: MeasuredDecode[] = [];
    for (const problem of problems) {
      const before = session.passes;
      const began = performance.now();
      const { tokens, steps } = await decodeOne(session.engine, policy, problem, setup, signal);
      const ms = performance.now() - began;
      const after = session.passes;
      decodes.push({
        tokens,
        steps: steps.map(({ plan, landed }) => ({ plan, landed })),
        ms,
        passMs: after.ms - before.ms,
        passes: after.count - before.count,
      });
    }
    return decodes;
  }

  private async finish(failure: Failure | null): Promise<DeviceRecord> {
    if (this.opened === null) throw new Error('nothing was decoded');
    const { session, model } = this.opened;
    this.opened = null;
    const record = await session.finish(failure);
    await model.weights.close();
    return record;
  }
}

async function open(setup: DeviceSetup, signal: AbortSignal | undefined): Promise<Opened> {
  const model = await openModel(setup.model);
  try {
    const session = await openGgmlSession({ ...setup, model, signal });
    // Weights of a mapped file come into memory with the first pass, which no prompt is charged for.
    await timePass(session.engine, { rows: 1, context: 0, logitsRows: 1 }, 1, { signal });
    return { session, model, problems: heldoutProblems(model, setup.seed, setup.firstIndex, setup.prompts) };
  } catch (error) {
    await model.weights.close();
    throw error;
  }
}
