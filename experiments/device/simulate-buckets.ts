import type { DeviceNumerics } from '../../hw/choices.js';
import type { Simulated, SimulatedBucket, SimulatedOp } from '../../hw/compare/times.js';
import type { Bucket } from '../../hw/graph/buckets.js';
import type { Machine } from '../../sim/machine/machine.js';
import type { Track } from '../../sim/machine/timeline.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { DType, Precision } from '../../src/model/graph.js';
import type { LoadedModel } from '../../src/model/load.js';
import { precisionOf } from '../../src/model/quant-recipes.js';
import { headId } from '../../src/model/weight-ids.js';
import type { WeightSource } from '../../src/model/weights.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import { openMachine } from '../lab/open.js';
import { type ChipSetup, chipSchema } from '../lab/setup.js';

export interface SimulatedOptions {
  readonly profile: string;
  /** Default: compiled graphs, as QNN runs them, in the formats of the numerics. */
  readonly stack?: string;
  readonly memory: ChipSetup['memory'];
}

/** Formats and stack that stand for what a device runs. */
export interface TimedAs {
  readonly stack: string;
  readonly quant: ChipSetup['quant'];
  /** In place of those of the quant. */
  readonly precision?: Precision;
}

/** Of a device graph. An NPU has no f32: such a graph is timed in f16. */
export const GRAPH_TIMED_AS: Readonly<Record<DeviceNumerics, TimedAs>> = {
  f32: { quant: 'f16', stack: 'qnn-fp16' },
  f16: { quant: 'f16', stack: 'qnn-fp16' },
  w8a16: { quant: 'q8_0', stack: 'qnn' },
  w4a16: { quant: 'q4_0', stack: 'qnn' },
};

/** Stack that stands for a device of ggml, by its name. */
const GGML_STACKS: readonly (readonly [RegExp, string])[] = [
  [/^cpu/, 'llama.cpp-cpu'],
  [/^htp/, 'llama.cpp-hexagon'],
];

/**
 * A file as ggml runs it: its tensors' own formats, on the stack that stands for the device. A GPU is timed as the gpu of
 * the profile. NPUs have no f32, nor bf16: such tensors are timed in f16.
 */
export function ggmlTimedAs(
  { config, weights }: Pick<LoadedModel, 'config' | 'weights'>,
  device: string,
): TimedAs {
  const stack = GGML_STACKS.find(([pattern]) => pattern.test(device))?.[1] ?? 'gpu';
  return { stack, quant: 'q4_0', precision: storedPrecision(config, weights) };
}

/** Formats of a file's tensors as a machine is given them: f32 and bf16, which NPUs do not have, as f16. */
export function storedPrecision(config: ModelConfig, weights: WeightSource): Precision {
  const formats = weights.names().map((id): [string, DType] => {
    const { dtype } = weights.info(id)!;
    return [id, dtype === 'f32' || dtype === 'bf16' ? 'f16' : dtype];
  });
  return precisionOf(new Map(formats), headId(config));
}

/**
 * Times the graphs of a model on a modelled chip: the very operators that the device runs, padded rows and
 * hidden keys included, on a machine that has just run the same graph.
 * @throws UsageError with the nearest names
 */
export function simulateBuckets(
  model: ModelConfig,
  timed: TimedAs,
  buckets: readonly Bucket[],
  { profile, stack, memory }: SimulatedOptions,
): Simulated {
  const { quant, precision } = timed;
  const chip = chipSchema.parse({ quant, profile, memory, stack: stack ?? timed.stack });
  const machine = openMachine(chip, { record: true, shapes: model, precision });
  return {
    machine: machine.name,
    clockGhz: machine.options.profile.npu.clock,
    buckets: buckets.map((bucket) => simulateBucket(machine, bucket)),
  };
}

function simulateBucket(machine: Machine, bucket: Bucket): SimulatedBucket {
  const { rows, context } = bucket;
  const kvSets = [{ name: PREFIX_SET, length: context }];
  const shape = { rows, kvSets, logitsRows: rows, masked: true };
  machine.reset();
  machine.timePass(shape);
  const { startMs, endMs } = machine.timePass(shape);
  return { bucket, ms: endMs - startMs, ops: operatorTimes(machine, startMs) };
}

/** What runs operators. The driver's and the staging copies' time is the pass's, not an operator's. */
const UNITS: ReadonlySet<Track> = new Set(['matrix', 'vector', 'dma', 'l2', 'cpu', 'gpu'] as const);

/** Time from the start to the end of every operator; its units work within it at the same time. */
function operatorTimes(machine: Machine, fromMs: number): SimulatedOp[] {
  const byOp = new Map<string, { label: string; startMs: number; endMs: number }>();
  for (const { track, name, category, startMs, endMs } of machine.timeline().spans) {
    if (startMs < fromMs || !UNITS.has(track) || category === 'sampling') continue;
    const seen = byOp.get(name) ?? { label: category, startMs, endMs };
    seen.startMs = Math.min(seen.startMs, startMs);
    seen.endMs = Math.max(seen.endMs, endMs);
    byOp.set(name, seen);
  }
  return [...byOp].map(([op, { label, startMs, endMs }]) => ({ op, label, us: (endMs - startMs) * 1000 }));
}
