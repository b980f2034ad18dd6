import { type DeviceTimes, deviceTimes, productShape } from '../../hw/calibrate/record-samples.js';
import { type Bucket, bucketName } from '../../hw/graph/buckets.js';
import type { DeviceRecord } from '../../hw/record/device-record.js';
import {
  type Fit,
  type FittedNumber,
  fitOperators,
  type UnfittedNumber,
} from '../../sim/calibration/calibrate.js';
import { fitClock, fitHost, type HostSample } from '../../sim/calibration/host.js';
import { measuredProfile } from '../../sim/calibration/measured-profile.js';
import { type OpSample, productGraph } from '../../sim/calibration/samples.js';
import { overrideProfile, parseProfile } from '../../sim/hardware/load-profile.js';
import { baseText } from '../../sim/hardware/quantity.js';
import type { HardwareProfile } from '../../sim/hardware/schema.js';
import { groupsOf } from '../../sim/stacks/dispatch.js';
import type { SoftwareStack } from '../../sim/stacks/stack.js';
import { CheckError, UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph } from '../../src/model/graph.js';
import { graphFor } from '../../src/model/graph-cache.js';
import { precisionFor, type Quant } from '../../src/model/precision.js';
import { PREFIX_SET } from '../../src/pass/shape.js';

/** A record with what is needed to name it as a source, and the weight format that ran. */
export interface CalibrationInput {
  readonly record: DeviceRecord;
  readonly name: string;
  readonly sha256: string;
  readonly quant: Quant;
}

export interface CalibrationRequest {
  /** Of one device; several formats tell apart what one alone does not. */
  readonly inputs: readonly CalibrationInput[];
  /** Text of the profile whose numbers are kept where the record says nothing. */
  readonly baseText: string;
  readonly name: string;
  readonly stack: SoftwareStack;
  /** Shapes behind the names of operators; null for a record that names shapes instead. */
  readonly config: ModelConfig | null;
}

export interface CalibratedProfile {
  readonly base: HardwareProfile;
  /** The profile file. */
  readonly text: string;
  readonly source: string;
  readonly numbers: readonly FittedNumber[];
  readonly kept: readonly UnfittedNumber[];
  readonly operators: Pick<Fit, 'n' | 'rms' | 'rmsBefore' | 'rmsBest' | 'opStartUs'>;
}

/** Residuals beyond which the machine model does not describe the device, and its numbers mean nothing. */
const LARGEST_RMS = 0.25;

/**
 * A hardware profile from what a device measured.
 * @throws UsageError for a record without device times, or of an unknown model
 * @throws CheckError when nothing is determined, or the model of the stack does not fit the times
 */
export function calibrateRecord(request: CalibrationRequest): CalibratedProfile {
  const { inputs, stack, name } = request;
  const base = parseProfile(request.baseText, 'base profile');
  const timed = inputs.map(({ record, quant }) => {
    const times = deviceTimes(record);
    return { times, quant, graphs: graphsOf(times, quant, request) };
  });
  const names = inputs.map((input) => input.name).join(' and ');
  const clock = fitClock(
    timed.flatMap(({ times }) => times.clocked),
    base,
  );
  const overrides = clock.numbers.map(({ path, value }) => [path, baseText(value, 'frequency')]);
  const chip = overrideProfile(base, Object.fromEntries(overrides) as Record<string, string>);
  const samples = timed.flatMap(({ times, graphs, quant }) => opSamples(times, graphs, quant));
  const operators = fitOperators(samples, chip, stack);
  if (operators.rmsBest > LARGEST_RMS) {
    const off = (100 * operators.rmsBest).toFixed(0);
    throw new CheckError(
      `${names}: however the numbers are chosen, stack ${stack.name} is off by ${off} % (rms): something else ran (--stack, --quant), or the machine model does not describe it`,
    );
  }
  const passes = timed.flatMap(({ times, graphs }) => hostSamples(times, graphs, chip, stack));
  const host = fitHost(passes, chip, stack);
  const numbers = [...clock.numbers, ...operators.numbers, ...host.numbers];
  const kept = [...clock.kept, ...operators.kept, ...host.kept];
  if (numbers.length === 0) {
    const reasons = kept.map(({ path, because }) => `${path}: ${because}`).join('; ');
    throw new CheckError(`${names} determines no number of a profile (${reasons})`);
  }
  const source = inputs
    .map(({ name: file, sha256, record }) => {
      const soc = record.target.soc ?? 'unknown SoC';
      return `${file} (sha256 ${sha256.slice(0, 16)}), ${record.executionClass}, SoC ${soc}`;
    })
    .join('; ');
  const text = measuredProfile(numbers, {
    baseText: request.baseText,
    base,
    name,
    source,
    description: `Measured from ${names} as stack ${stack.name}; numbers that it does not determine are those of ${base.name}`,
    note: ({ path, error, n }) =>
      `least squares over ${n} ${path.startsWith('driver.') ? 'passes' : 'operators'}, standard error ${percent(error)}` +
      `${path.startsWith('npu.') && path !== 'npu.clock' ? `; residual of all ${operators.n}: ${percent(operators.rmsBest)} rms on the model of ${stack.name}` : ''}`,
  });
  return { base, text, source, numbers, kept, operators };
}

function percent(share: number): string {
  return `${(100 * share).toPrecision(2)} %`;
}

/** Graphs of the buckets of a record, in the formats that ran. */
function graphsOf(
  { ops, overheads }: DeviceTimes,
  quant: Quant,
  { config, stack }: Pick<CalibrationRequest, 'config' | 'stack'>,
): ReadonlyMap<string, OpGraph> {
  const named = [...ops, ...overheads].flatMap(({ bucket }) => (bucket === null ? [] : [bucket]));
  const buckets = new Map<string, Bucket>(named.map((bucket) => [bucketName(bucket), bucket]));
  if (buckets.size === 0) return new Map();
  if (config === null)
    throw new UsageError('the record is of compiled graphs: name their model with --model');
  const { activations } = stack;
  const precision = precisionFor(quant, activations === undefined ? {} : { activations });
  const graph = ({ rows, context }: Bucket): OpGraph => {
    const kvSets = [{ name: PREFIX_SET, length: context }];
    return graphFor(config, { rows, kvSets, logitsRows: rows, masked: true }, precision);
  };
  return new Map([...buckets].map(([key, bucket]) => [key, graph(bucket)]));
}

function opSamples({ ops }: DeviceTimes, graphs: ReadonlyMap<string, OpGraph>, quant: Quant): OpSample[] {
  const products = new Map<string, OpGraph>();
  return ops.flatMap(({ bucket, op, us }) => {
    if (bucket !== null) return [{ graph: graphs.get(bucketName(bucket))!, op, us }];
    const shape = productShape(op);
    if (shape === null) return [];
    const { rows, inWidth, outWidth } = shape;
    const key = `${rows} ${inWidth} ${outWidth}`;
    const graph = products.get(key) ?? productGraph(rows, inWidth, outWidth, quant);
    products.set(key, graph);
    return [{ graph, op: 'product', us }];
  });
}

function hostSamples(
  { overheads }: DeviceTimes,
  graphs: ReadonlyMap<string, OpGraph>,
  chip: HardwareProfile,
  stack: SoftwareStack,
): HostSample[] {
  return overheads.map(({ bucket, us }) => {
    const graph = graphs.get(bucketName(bucket))!;
    const crossing = [...graph.tensors.values()].filter(
      ({ role }) => role !== 'weight' && role !== 'activation',
    );
    return {
      us,
      dispatches: groupsOf(stack, graph, chip).filter(({ device }) => device === 'npu').length,
      bytes: crossing.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  });
}
