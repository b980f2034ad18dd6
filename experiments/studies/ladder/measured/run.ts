import { profileHash } from '../../../../sim/hardware/load-profile.js';
import { replayTrace } from '../../../../src/decode/trace/trace.js';
import { UsageError } from '../../../../src/errors.js';
import { elementsOf } from '../../../../src/model/dtype.js';
import { fileSha256 } from '../../../../src/model/load.js';
import { weightShapes } from '../../../../src/model/weight-ids.js';
import { mean, medianInterval } from '../../../../src/score/statistics/samples.js';
import { project } from '../../../../src/util/project-root.js';
import { storedPrecision } from '../../../device/simulate-buckets.js';
import { openEngine, openMachine } from '../../../lab/open.js';
import { heldoutProblems } from '../../../lab/problems.js';
import { chipSchema } from '../../../lab/setup.js';
import { LADDER, type LadderRow } from '../ladder.js';
import type { MeasuredDecode } from './decode-one.js';
import { type DecodeJob, type MeasuredDevice, measureDevice, referenceTokens } from './decodes.js';
import { measuredNotes } from './notes.js';
import type { MeasuredLadderOptions } from './options.js';
import { MEASURED_SCHEMA, type MeasuredLadder, type MeasuredRow } from './types.js';

export interface MeasuredLadderHooks {
  readonly command: string;
  readonly gitCommit?: string;
  readonly signal?: AbortSignal;
  /** Told of every decode. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Parameters up to which the reference decodes too: in f32 they take four bytes each, and minutes a prompt beyond. */
const MOST_REFERENCE_PARAMS = 250e6;

/**
 * The ladder in wall-clock time on a device of this machine: every method decodes every prompt on the ggml engine, and
 * the very passes that ran are timed on the simulated chip too, with the model's own shapes and formats.
 * @throws EnvironmentError when ggml or the device is missing; DeviceError when it breaks down, its record is written then
 */
export async function measureLadder(
  options: MeasuredLadderOptions,
  hooks: MeasuredLadderHooks,
): Promise<MeasuredLadder> {
  const { model, seed, firstIndex, prompts } = options;
  if (model.config.maskId === null)
    throw new UsageError(
      `model ${model.config.name} has no mask token, so it cannot be decoded by diffusion`,
    );
  const params = [...weightShapes(model.config)].reduce((sum, [, shape]) => sum + elementsOf(shape), 0);
  const compares = params <= MOST_REFERENCE_PARAMS;
  const byDevice = rowsByDevice(options.device.toLowerCase());
  const policies = [...new Set(LADDER.map(({ policy }) => policy))];
  const total =
    prompts *
    ([...byDevice.values()].reduce((sum, rows) => sum + new Set(rows.map(({ policy }) => policy)).size, 0) +
      (compares ? policies.length : 0));
  let done = 0;
  hooks.onProgress?.(0, total);
  const job: DecodeJob = {
    options,
    problems: heldoutProblems(model, seed, firstIndex, prompts),
    signal: hooks.signal,
    onDecodes: (count) => {
      done += count;
      hooks.onProgress?.(done, total);
    },
  };
  const devices: MeasuredDevice[] = [];
  for (const [name, rows] of byDevice) devices.push(await measureDevice(name, rows, job));
  const reference = compares ? await referenceOf(policies, job) : null;
  const rows = LADDER.map((row) => rowOf(row, options, devices, reference));
  return {
    schema: MEASURED_SCHEMA,
    command: hooks.command,
    version: project().version,
    gitCommit: hooks.gitCommit,
    node: process.version,
    model: {
      name: model.config.name,
      sha256: await fileSha256(model.weightsPath),
      params,
      numerics: devices[0].record.model.numerics,
    },
    devices: devices.map(({ name, recordFile, record: { executionClass, evidence, options: set } }) => ({
      ...{ name, executionClass, threads: set.threads, record: recordFile },
      operators: evidence.ggml?.operators ?? 0,
      onCpu: { ...evidence.ggml?.onCpu },
    })),
    profile: { name: options.profile, sha256: profileHash(options.profile) },
    prompts: {
      ...{ set: 'long held-out', seed, count: prompts, firstIndex },
      ...{ genLength: options.genLength, blockLength: options.blockLength },
    },
    rows,
    notes: measuredNotes(devices, compares ? null : MOST_REFERENCE_PARAMS),
  };
}

/** Rows of the CPU run on the CPU wherever the others do. */
function rowsByDevice(device: string): Map<string, LadderRow[]> {
  const found = new Map<string, LadderRow[]>();
  for (const row of LADDER) {
    const name = row.stack === 'cpu' ? 'cpu' : device;
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return found;
}

type Reference = { readonly engine: string; readonly tokens: ReadonlyMap<string, (readonly number[])[]> };

async function referenceOf(policies: readonly string[], job: DecodeJob): Promise<Reference> {
  const engine = await openEngine(job.options.model, {});
  try {
    const tokens = new Map<string, (readonly number[])[]>();
    for (const policy of policies) tokens.set(policy, await referenceTokens(engine, policy, job));
    return { engine: engine.name, tokens };
  } finally {
    engine.dispose();
  }
}

function rowOf(
  row: LadderRow,
  options: MeasuredLadderOptions,
  devices: readonly MeasuredDevice[],
  reference: Reference | null,
): MeasuredRow {
  const { seed, device } = options;
  const nameOf = ({ stack }: LadderRow) => (stack === 'cpu' ? 'cpu' : device.toLowerCase());
  const decodesOf = (of: LadderRow): readonly MeasuredDecode[] =>
    devices.find(({ name }) => name === nameOf(of))!.decodes.get(of.policy)!;
  const own = decodesOf(row);
  const first = LADDER.find((other) => other.policy === row.policy && nameOf(other) === nameOf(row))!;
  const simulated = simulate(row, options, own);
  const measured = own.map(({ ms }) => ms);
  const against = 'sameAs' in row.tokens ? row.tokens.sameAs : row.tokens.mayDifferFrom;
  const others = decodesOf(LADDER.find(({ name }) => name === against)!);
  const tokens = differences(
    own,
    others.map((decode) => decode.tokens),
  );
  const expected = reference?.tokens.get(row.policy);
  return {
    name: row.name,
    policy: row.policy,
    stack: row.stack,
    memory: row.memory,
    device: nameOf(row),
    measured_as: first === row ? null : first.name,
    measured_ms: { ...medianInterval(measured, seed), samples: measured },
    simulated_ms: { ...medianInterval(simulated, seed), samples: simulated },
    ratio: medianInterval(
      measured.map((ms, at) => ms / simulated[at]),
      seed,
    ),
    passes: mean(own.map(({ passes }) => passes)),
    outside_passes: 1 - mean(own.map(({ ms, passMs }) => passMs / ms)),
    tokens: {
      ...{ equal: tokens.different === 0, against, ...tokens },
      reason: 'sameAs' in row.tokens ? null : row.tokens.because,
    },
    reference:
      reference === null || expected === undefined
        ? null
        : { engine: reference.engine, ...differences(own, expected) },
  };
}

function differences(own: readonly MeasuredDecode[], others: readonly (readonly number[])[]) {
  const compared = own.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const different = own.reduce(
    (sum, { tokens }, prompt) => sum + tokens.filter((token, at) => token !== others[prompt][at]).length,
    0,
  );
  return { different, compared };
}

/** Simulated ms of the passes that ran, prompt by prompt. */
function simulate(
  { stack, memory }: LadderRow,
  { model: { config, weights }, profile }: MeasuredLadderOptions,
  decodes: readonly MeasuredDecode[],
): number[] {
  const chip = chipSchema.parse({ profile, stack, memory });
  const machine = openMachine(chip, { shapes: config, precision: storedPrecision(config, weights) });
  return decodes.map((decode) => {
    machine.reset();
    return replayTrace(decode, machine).totalMs;
  });
}
