import type { Bucket } from '../graph/buckets.js';
import { bucketName } from '../graph/buckets.js';
import { AS_COMPILED, type DeviceRecord, type RunTiming } from '../record/device-record.js';
import { whyTimesDoNotCount } from '../record/execution-class.js';

/** An operator of a bucket's graph as the simulator times it. */
export interface SimulatedOp {
  readonly op: string;
  /** Kind, or role of a product. */
  readonly label: string;
  readonly us: number;
}

export interface SimulatedBucket {
  readonly bucket: Bucket;
  /** The whole pass, dispatch and mapping included. */
  readonly ms: number;
  readonly ops: readonly SimulatedOp[];
}

export interface Simulated {
  readonly machine: string;
  readonly clockGhz: number;
  readonly buckets: readonly SimulatedBucket[];
}

/** Operators of one kind in one bucket, on both sides. Sums run over operators that both sides know. */
export interface OperatorTime {
  readonly bucket: string;
  readonly label: string;
  readonly simulatedOps: number;
  readonly simulatedUs: number;
  readonly matchedOps: number;
  readonly matchedSimulatedUs: number;
  /** Mean over the runs of the bucket; null when the device did not tell. */
  readonly deviceUs: number | null;
  readonly deviceCycles: number | null;
  /** Device over simulated, by time or else by cycles; null without device numbers. */
  readonly ratio: number | null;
}

export interface TimesSideBySide {
  /** Why there are no device times; null when there are. */
  readonly refused: string | null;
  /** Share of the device's operator time whose operator the graph has; null without device times. */
  readonly coverage: number | null;
  readonly passes: readonly {
    readonly bucket: string;
    readonly simulatedMs: number;
    /** Mean time on the accelerator. */
    readonly deviceMs: number | null;
    readonly runs: number;
  }[];
  readonly operators: readonly OperatorTime[];
}

/**
 * Puts device times beside simulated ones. Only a record whose class is `npu-device` has device times; for any other
 * the reason is given and every device number stays empty. A simulated number never stands in for a device's.
 */
export function timesSideBySide(
  simulated: Simulated,
  record: Pick<DeviceRecord, 'executionClass' | 'runs' | 'model' | 'files'>,
  asked: RunIdentity,
): TimesSideBySide {
  const refused = whyTimesDoNotCount(record.executionClass) ?? whyAnotherRun(record, asked);
  const runsOf = (bucket: Bucket) =>
    refused !== null
      ? []
      : record.runs.filter(
          (run) => run.bucket !== undefined && bucketName(run.bucket) === bucketName(bucket),
        );
  const total = { known: 0, all: 0 };
  const operators = simulated.buckets.flatMap(({ bucket, ops }) => {
    const runs = runsOf(bucket);
    const device = meanByOp(runs);
    const names = new Set(ops.map(({ op }) => op));
    for (const [op, { us, cycles }] of device) {
      const amount = us ?? cycles ?? 0;
      total.all += amount;
      if (names.has(op)) total.known += amount;
    }
    const labels = [...new Set(ops.map(({ label }) => label))];
    return labels.map((label) =>
      operatorTime(
        bucketName(bucket),
        label,
        ops.filter((op) => op.label === label),
        device,
        simulated.clockGhz,
      ),
    );
  });
  return {
    refused,
    coverage: total.all === 0 ? null : total.known / total.all,
    passes: simulated.buckets.map(({ bucket, ms }) => {
      const runs = runsOf(bucket);
      const us = mean(runs.map(({ acceleratorUs }) => acceleratorUs));
      return {
        bucket: bucketName(bucket),
        simulatedMs: ms,
        runs: runs.length,
        deviceMs: us === null ? null : us / 1000,
      };
    }),
    operators,
  };
}

/** What ran, as far as times depend on it. */
export interface RunIdentity {
  readonly model: string;
  readonly weightsSha256: string;
  readonly numerics: string;
}

function whyAnotherRun(
  { model, files }: Pick<DeviceRecord, 'model' | 'files'>,
  asked: RunIdentity,
): string | null {
  const anotherFormat = model.numerics !== asked.numerics && model.numerics !== AS_COMPILED;
  if (model.name !== asked.model || anotherFormat) {
    return `the record is of ${model.name} in ${model.numerics}, this comparison of ${asked.model} in ${asked.numerics}`;
  }
  if (files.some(({ sha256 }) => sha256 === asked.weightsSha256)) return null;
  return `the record names no file with the weights of this comparison (sha256 ${asked.weightsSha256})`;
}

interface OpMean {
  readonly us: number | null;
  readonly cycles: number | null;
}

function meanByOp(runs: readonly RunTiming[]): ReadonlyMap<string, OpMean> {
  const byOp = new Map<string, { us: (number | null)[]; cycles: (number | null)[] }>();
  for (const { op, us, cycles } of runs.flatMap(({ ops }) => ops)) {
    const seen = byOp.get(op) ?? { us: [], cycles: [] };
    seen.us.push(us);
    seen.cycles.push(cycles);
    byOp.set(op, seen);
  }
  return new Map([...byOp].map(([op, { us, cycles }]) => [op, { us: mean(us), cycles: mean(cycles) }]));
}

/** Null when a value is missing: a mean over some of the runs would be that of other runs. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || known.length < values.length) return null;
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

function operatorTime(
  bucket: string,
  label: string,
  ops: readonly SimulatedOp[],
  device: ReadonlyMap<string, OpMean>,
  clockGhz: number,
): OperatorTime {
  const sum = (some: readonly SimulatedOp[]) => some.reduce((total, { us }) => total + us, 0);
  const matched = ops.filter(({ op }) => device.has(op));
  const means = matched.map(({ op }) => device.get(op)!);
  const matchedSimulatedUs = sum(matched);
  const deviceUs = sumOrNull(means.map(({ us }) => us));
  const deviceCycles = sumOrNull(means.map(({ cycles }) => cycles));
  const simulatedCycles = matchedSimulatedUs * clockGhz * 1000;
  return {
    bucket,
    label,
    simulatedOps: ops.length,
    simulatedUs: sum(ops),
    matchedOps: matched.length,
    matchedSimulatedUs,
    deviceUs,
    deviceCycles,
    ratio:
      deviceUs !== null
        ? deviceUs / matchedSimulatedUs
        : deviceCycles !== null
          ? deviceCycles / simulatedCycles
          : null,
  };
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}
