import { z } from 'zod';
import type { EngineComparison } from '../../src/engine/compare/compare-engines.js';
import { median } from '../../src/score/statistics/samples.js';
import { readJsonAs } from '../../src/util/read-file.js';
import { RUN_NUMERICS, type RunNumerics } from '../choices.js';
import { type Bucket, bucketName } from '../graph/buckets.js';
import { type DeviceRecord, recordParts } from '../record/device-record.js';
import { EXECUTION_CLASSES } from '../record/execution-class.js';
import { type Simulated, timesSideBySide } from './times.js';
import { verdictOf } from './verdict.js';

/** Version of the report of `device compare`. */
export const COMPARE_SCHEMA = 'dllm-npu/device-compare@1';

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

const rowAgreement = {
  rows: count,
  sameBest: count,
  nearTies: count,
  differentBeyondNearTies: count,
  largestMarginTurned: amount.nullable(),
  /** Null: not a finite number. */
  klMean: amount.nullable(),
  klMax: amount.nullable(),
  maxLogitError: amount.nullable(),
};

const reportSchema = z.strictObject({
  schema: z.literal(COMPARE_SCHEMA),
  model: z.strictObject({ name: z.string(), sha256: z.string() }),
  policy: z.string(),
  genLength: count,
  problems: z.strictObject({ n: count, firstIndex: count, seed: count }),
  /** Margin in logits below which a row may turn. */
  nearTie: amount,
  reference: z.string(),
  device: z.strictObject({
    engine: z.string(),
    numerics: z.enum(RUN_NUMERICS),
    executionClass: z.enum(EXECUTION_CLASSES),
    ...recordParts,
  }),
  verdict: z.strictObject({ agrees: z.boolean(), reasons: z.array(z.string()) }),
  /** Same passes on both, by what the row was. */
  agreement: z.array(z.strictObject({ state: z.string(), ...rowAgreement })),
  /** The same, for every scored pass of the reference's decode. */
  states: z.array(
    z.strictObject({
      problem: count,
      step: count,
      pass: z.string(),
      passRows: count,
      reads: count,
      bucket: z.string(),
      ...rowAgreement,
      simulatedMs: amount,
      deviceMs: amount.nullable(),
      /**
       * Median wall-clock time, on the host, of this run's passes in the bucket: no device time unless the class says so.
       * Reports of before 2026-11 have none.
       */
      wallMs: amount.nullable().optional(),
    }),
  ),
  /** Each decoding on its own. */
  tokens: z.strictObject({ compared: count, different: count }),
  answers: z.array(
    z.strictObject({
      problem: count,
      differentTokens: count,
      first: z
        .strictObject({
          step: count,
          position: count,
          token: count,
          expected: count,
          logitMargin: z.number().nullable(),
        })
        .nullable(),
      parting: z
        .strictObject({
          step: count,
          position: count,
          kind: z.enum(['token', 'order']),
          token: count.nullable(),
          expected: count.nullable(),
          referenceMargin: amount.nullable(),
          confidenceDifference: amount.nullable(),
        })
        .nullable(),
    }),
  ),
  times: z.strictObject({
    /** Modelled times are those of this machine. */
    machine: z.string(),
    profileSha256: z.string(),
    /** Record that the device times are from, when not this run. */
    deviceRecord: z.string().nullable(),
    refused: z.string().nullable(),
    coverage: amount.nullable(),
    passes: z.array(
      z.strictObject({ bucket: z.string(), simulatedMs: amount, deviceMs: amount.nullable(), runs: count }),
    ),
    operators: z.array(
      z.strictObject({
        bucket: z.string(),
        label: z.string(),
        simulatedOps: count,
        simulatedUs: amount,
        matchedOps: count,
        matchedSimulatedUs: amount,
        deviceUs: amount.nullable(),
        deviceCycles: amount.nullable(),
        ratio: amount.nullable(),
      }),
    ),
  }),
  gitCommit: z.string().optional(),
});

export type CompareReport = z.infer<typeof reportSchema>;

export interface CompareParts {
  readonly compared: EngineComparison;
  readonly record: DeviceRecord;
  readonly simulated: Simulated;
  /** A record whose device times are shown instead of those of this run. */
  readonly timed: { readonly name: string; readonly record: DeviceRecord } | null;
  readonly profileSha256: string;
  /** Graph that a pass of so many rows and cached positions runs in. */
  readonly bucketOf: (rows: number, reads: number) => Bucket;
  readonly model: CompareReport['model'];
  readonly numerics: RunNumerics;
  readonly problems: CompareReport['problems'];
  readonly genLength: number;
  readonly gitCommit: string | undefined;
}

/** Everything that one comparison found, as it is written. */
export function compareReport(parts: CompareParts): CompareReport {
  const { compared, record, simulated, timed, model, numerics, problems, genLength, gitCommit } = parts;
  const identity = { model: model.name, weightsSha256: model.sha256, numerics };
  const times = timesSideBySide(simulated, timed?.record ?? record, identity);
  const passes = new Map(times.passes.map((pass) => [pass.bucket, pass]));
  const { agrees, reasons } = verdictOf(compared);
  const { executionClass, missing, evidence, tool, files, target, options } = record;
  return {
    schema: COMPARE_SCHEMA,
    model,
    policy: compared.policy,
    genLength,
    problems,
    nearTie: compared.nearTie,
    reference: compared.reference,
    device: {
      engine: compared.engine,
      numerics,
      executionClass,
      missing,
      evidence,
      tool,
      files,
      target,
      options,
    },
    verdict: { agrees, reasons: [...reasons] },
    agreement: compared.agreement.map((row) => ({ ...row, ...finite(row) })),
    states: compared.states.map((state) => {
      const bucket = bucketName(parts.bucketOf(state.passRows, state.reads));
      const { simulatedMs, deviceMs } = passes.get(bucket)!;
      const wallMs = wallMsOf(record, bucket);
      return { ...state, ...finite(state), bucket, simulatedMs, deviceMs, wallMs };
    }),
    tokens: compared.tokens,
    answers: compared.answers.map(({ problem, differentTokens, first, parting }) => ({
      problem,
      differentTokens,
      first: first === null ? null : { ...first, logitMargin: finiteOrNull(first.logitMargin) },
      parting,
    })),
    times: {
      machine: simulated.machine,
      profileSha256: parts.profileSha256,
      deviceRecord: timed?.name ?? null,
      refused: times.refused,
      coverage: times.coverage,
      passes: [...times.passes],
      operators: [...times.operators],
    },
    gitCommit,
  };
}

function wallMsOf({ runs }: DeviceRecord, bucket: string): number | null {
  const times = runs.flatMap((run) =>
    run.bucket !== undefined && bucketName(run.bucket) === bucket ? [run.hostMs] : [],
  );
  return times.length === 0 ? null : median(times);
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function finite(row: { readonly klMean: number; readonly klMax: number; readonly maxLogitError: number }) {
  return {
    klMean: finiteOrNull(row.klMean),
    klMax: finiteOrNull(row.klMax),
    maxLogitError: finiteOrNull(row.maxLogitError),
  };
}

/** @throws DataError naming the field; EnvironmentError when the file cannot be read */
export async function readCompareReport(path: string): Promise<CompareReport> {
  return readJsonAs(path, reportSchema);
}
