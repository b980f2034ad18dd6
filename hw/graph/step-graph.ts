import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import { buildGraph } from '../../src/model/build-graph.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { OpGraph } from '../../src/model/graph.js';
import { precisionFor } from '../../src/model/precision.js';
import type { WeightSource } from '../../src/model/weights.js';
import { ExternalData } from '../../src/onnx/external-data.js';
import { lowerOp } from '../../src/onnx/lower-ops.js';
import { OnnxBuilder } from '../../src/onnx/onnx-builder.js';
import { DATA_TYPES, encodeModel } from '../../src/onnx/onnx-proto.js';
import { WeightStore } from '../../src/onnx/weight-store.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { project } from '../../src/util/project-root.js';
import type { DeviceNumerics } from '../choices.js';
import { type Bucket, bucketName } from './buckets.js';
import type { Calibration } from './calibration.js';
import { lowerEmbedding, lowerLinear, type WeightBits } from './lower-linear.js';
import { lowerScaledNorm } from './lower-norm.js';
import { type StepIo, type StepIoOptions, stepIo } from './step-io.js';

export interface StepGraphOptions extends StepIoOptions {
  readonly bucket: Bucket;
  readonly numerics: DeviceNumerics;
  /** Ranges of the activations; needed by the quantised numerics. */
  readonly calibration?: Calibration;
}

export interface StepGraph {
  readonly graph: OpGraph;
  readonly io: StepIo;
  /** Identifies the graph but for the values of its weights: SHA-256 of the ONNX model, lower-case hex. */
  readonly sha256: string;
  /** Writes the model, and its weights beside it under the name that the model has for them. */
  readonly write: (directory: string) => Promise<string>;
}

/** The largest score a half holds with room to add: exp of it below any real score is 0. */
const HIDDEN_SCORE = 30_000;
/** INT4 and 16-bit QuantizeLinear came with ONNX 1.16 (operator set 21, IR 10). */
const OPSET = 21;
const IR_VERSION = 10;
const WEIGHT_BITS: Readonly<Record<DeviceNumerics, WeightBits>> = { f32: 32, f16: 32, w8a16: 8, w4a16: 4 };

/**
 * The denoising step as an ONNX graph of fixed shapes for one bucket. Reads no weights before it is written. Inputs as in `writeOnnx`, every extent
 * a number: `ids`, `positions`, `logits_rows` [rows] int32, `visibility` [rows, context + rows], K and V of the context per
 * layer [context, width]. Outputs: the result and the rows' fresh K and V.
 *
 * @throws UsageError for routed experts (how many rows an expert gets is not a fixed shape) and for a model with an adapter for drafts
 * @throws DataError when a weight is missing or an activation was not calibrated
 */
export async function buildStepGraph(
  config: ModelConfig,
  source: WeightSource,
  options: StepGraphOptions,
): Promise<StepGraph> {
  const { bucket, numerics, head, calibration } = options;
  if (config.moe !== undefined) {
    throw new UsageError(
      `${config.name}: routed experts have no fixed shapes, so there is no device graph of it`,
    );
  }
  if (config.draftAdapter !== undefined) {
    throw new UsageError(
      `${config.name}: passes that draft have an adapter, and the device graph of a step has none: take its folder away`,
    );
  }
  const bits = WEIGHT_BITS[numerics];
  if (bits !== 32 && calibration === undefined) {
    throw new UsageError(`numerics ${numerics} needs calibrated activation ranges`);
  }
  const name = `${bucketName(bucket)}.onnx`;
  const data = new ExternalData();
  const onnx = new OnnxBuilder(data, `${name}.data`);
  const graph = stepGraph(config, bucket);
  const to = {
    onnx,
    weights: new WeightStore(source, onnx),
    compute: 'f32' as const,
    positions: config.contextLength,
    hiddenScore: HIDDEN_SCORE,
  };
  const io = stepIo(graph, options);
  for (const { id, name, type, dims } of io.inputs) {
    onnx.input(name, type, dims);
    if (name !== id) onnx.node('Cast', id, [name], { to: DATA_TYPES.f32 });
  }
  for (const op of graph.ops) {
    if (op.kind === 'embed') await lowerEmbedding(op, onnx, source);
    else if (op.kind === 'rmsnorm') lowerScaledNorm(op, to);
    else if (op.kind !== 'matmul') lowerOp(op, to);
    else if (op.role !== 'head' || head) {
      const quantized =
        bits === 32 || calibration === undefined
          ? null
          : { bits: op.role === 'head' ? 8 : bits, calibration };
      await lowerLinear(op, onnx, source, to.weights, quantized);
    }
  }
  for (const { id, name, type, dims } of io.outputs) {
    if (name !== id) onnx.node('Cast', name, [id], { to: DATA_TYPES[type] });
    onnx.output(name, type, dims);
  }
  const model = encodeModel({
    irVersion: IR_VERSION,
    producerName: 'dllm-npu',
    producerVersion: project().version,
    opsetImport: [{ domain: '', version: OPSET }],
    metadataProps: [],
    graph: {
      name: `${config.name}-step`,
      node: onnx.nodes,
      initializer: onnx.initializers,
      input: onnx.inputs,
      output: onnx.outputs,
    },
  });
  return {
    graph,
    io,
    sha256: createHash('sha256').update(model).digest('hex'),
    write: async (directory) => {
      const path = join(directory, name);
      await data.write(`${path}.data`);
      atomicWriteFile(path, model);
      return path;
    },
  };
}

/** The pass a bucket stands for: every row may want logits, and any key may be hidden. */
export function stepGraph(config: ModelConfig, { rows, context }: Bucket): OpGraph {
  const kvSets = [{ name: PREFIX_SET, length: context }];
  return buildGraph(config, { rows, kvSets, logitsRows: rows, masked: true }, precisionFor('f32'));
}
