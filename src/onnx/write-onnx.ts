import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DataError } from '../errors.js';
import { buildGraph, INPUT_IDS } from '../model/build-graph.js';
import type { ModelConfig } from '../model/config.js';
import type { OpGraph, TensorInfo } from '../model/graph.js';
import { precisionFor } from '../model/precision.js';
import { headId } from '../model/weight-ids.js';
import { checkWeights, type WeightSource } from '../model/weights.js';
import { PREFIX_SET } from '../pass/shape.js';
import { atomicWriteFile } from '../util/atomic-write.js';
import { project } from '../util/project-root.js';
import type { WriteProgress } from '../util/write-file.js';
import type { Compute } from './compute.js';
import { ExternalData } from './external-data.js';
import { ADAPTER_INPUT, lowerOp } from './lower-ops.js';
import { MICROSOFT, OnnxBuilder } from './onnx-builder.js';
import { encodeModel, type ModelProto } from './onnx-proto.js';
import { WeightStore } from './weight-store.js';

/** ONNX 1.13: the oldest operator set that has everything used here, so that many runtimes can read it. */
const OPSET = 18;
const IR_VERSION = 8;

/** Number of what is written for a model: raised whenever nodes or the bytes of the data file change, so that no old file is taken for a new one. */
export const ONNX_FORM = 2;

/** Key of the metadata entry that holds the ModelConfig as JSON. */
export const CONFIG_KEY = 'dllm_npu.config';

export interface OnnxOptions extends WriteProgress {
  /** Default `f32`. */
  readonly compute?: Compute;
  /**
   * Writes quantised products of `f32` as MatMulFpQ4 instead of MatMulNBits: the same codes and scales, but read from the
   * file in place. Q4_0 is a tenth faster; Q8_0, as two products of 4-bit halves, several times. Only ONNX Runtime on x64
   * with AVX-512 has it. A head in Q4_0 stays MatMulNBits, which is faster for a single row. Default false.
   */
  readonly blobs?: boolean;
  /** Name of the data file, in the model's directory. Default: the model's with `.data` appended. */
  readonly dataName?: string;
  /** Takes an existing data file of the right size for the one that would be written. Default false. */
  readonly keepData?: boolean;
}

export interface OnnxFiles {
  readonly path: string;
  readonly dataPath: string;
  readonly modelBytes: number;
  readonly dataBytes: number;
}

/**
 * Writes the operator graph of a model as ONNX with its weights in a data file beside it (`PATH.data`), in the format
 * the source stores them: Q4_0 and Q8_0 as MatMulNBits with the same codes and scales, F16, BF16 and F32 as Gemm.
 *
 * Inputs: `ids`, `positions` [rows], `logits_rows` [logits_rows] (int32), `visibility` of ones and zeros, broadcast to
 * [rows, prefix + rows], and per layer `kv.prefix.N.k` and `.v` [prefix, kvHeads * headDim]. Outputs: `logits`
 * [logits_rows, vocab] and the rows' fresh K (after RoPE) and V per layer. rows, prefix and logits_rows are open;
 * prefix may be 0. A model with an adapter for drafts has an input more, `adapter` [1]: 1 in passes that draft, else 0.
 *
 * @throws DataError when a weight is missing or damaged; nothing is left behind then
 */
export async function writeOnnx(
  config: ModelConfig,
  source: WeightSource,
  path: string,
  options: OnnxOptions = {},
): Promise<OnnxFiles> {
  checkWeights(config, source);
  const dataPath = join(dirname(path), options.dataName ?? `${basename(path)}.data`);
  const data = new ExternalData();
  const onnx = new OnnxBuilder(data, basename(dataPath));
  const graph = openGraph(config);
  const compute = options.compute ?? 'f32';
  const head = headId(config);
  const staysByCodes = (id: string) => id === head && source.info(id)?.dtype === 'q4_0';
  const asBlob = (id: string) => options.blobs === true && compute === 'f32' && !staysByCodes(id);
  const lowering = {
    onnx,
    weights: new WeightStore(source, onnx, asBlob),
    compute,
    positions: config.contextLength,
  };
  declareInputs(onnx, graph);
  for (const op of graph.ops) lowerOp(op, lowering);
  declareOutputs(onnx, graph);
  const model: ModelProto = {
    irVersion: IR_VERSION,
    producerName: 'dllm-npu',
    producerVersion: project().version,
    opsetImport: [
      { domain: '', version: OPSET },
      { domain: MICROSOFT, version: 1 },
    ],
    metadataProps: [{ key: CONFIG_KEY, value: JSON.stringify(config) }],
    graph: {
      name: config.name,
      node: onnx.nodes,
      initializer: onnx.initializers,
      input: onnx.inputs,
      output: onnx.outputs,
    },
  };
  const bytes = encodeModel(model);
  const kept = options.keepData === true && existsSync(dataPath) && statSync(dataPath).size === data.bytes;
  if (!kept) await data.write(dataPath, options);
  atomicWriteFile(path, bytes);
  return { path, dataPath, modelBytes: bytes.length, dataBytes: data.bytes };
}

/** A pass that has every input; its extents become names. */
function openGraph(config: ModelConfig): OpGraph {
  const kvSets = [{ name: PREFIX_SET, length: 1 }];
  const shape = { rows: 1, kvSets, logitsRows: 1, masked: true, adapter: true } as const;
  return buildGraph(config, shape, precisionFor('f32'));
}

function declareInputs(onnx: OnnxBuilder, graph: OpGraph): void {
  if (graph.ops.some((op) => op.kind === 'add' && op.adapts)) onnx.input(ADAPTER_INPUT, 'f32', [1]);
  const dims: Readonly<Record<string, readonly string[]>> = {
    [INPUT_IDS.ids]: ['rows'],
    [INPUT_IDS.positions]: ['rows'],
    [INPUT_IDS.logitsRows]: ['logits_rows'],
    [INPUT_IDS.visibility]: ['seeing_rows', 'seen_keys'],
  };
  for (const tensor of graph.tensors.values()) {
    if (tensor.role === 'kv') onnx.input(tensor.id, 'f32', ['prefix', widthOf(tensor)]);
    if (tensor.role !== 'input') continue;
    const open = dims[tensor.id];
    if (open === undefined) throw new DataError(`graph of ${graph.model} has an unknown input ${tensor.id}`);
    onnx.input(tensor.id, tensor.dtype === 'i32' ? 'i32' : 'f32', open);
  }
}

function declareOutputs(onnx: OnnxBuilder, graph: OpGraph): void {
  const declare = (id: string, rows: string) => {
    const tensor = graph.tensors.get(id);
    if (tensor === undefined) throw new Error(`graph has no tensor ${id}`);
    onnx.output(id, 'f32', [rows, widthOf(tensor)]);
  };
  if (graph.logits !== null) declare(graph.logits, 'logits_rows');
  for (const { k, v } of graph.freshKv) {
    declare(k, 'rows');
    declare(v, 'rows');
  }
}

function widthOf(tensor: TensorInfo): number {
  return tensor.shape.at(-1) ?? 1;
}
