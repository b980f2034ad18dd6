import type { AttentionOp, OpGraph } from '../../../src/model/graph.js';
import { cpuDotProducts } from '../cpu-model.js';
import type { Kernel, LowerContext } from '../kernel.js';
import type { ChunkCost, Pipeline } from '../pipeline.js';
import { PIPELINE_SLOTS } from '../pipeline.js';
import { allocateTcm, type TcmBuffer, tcmBytes } from '../tcm.js';
import type { AttentionWork } from './attention-work.js';
import { combined } from './combined.js';
import { matrixAttention } from './htp/attention-matrix.js';
import { vectorAttention } from './htp/attention-vector.js';
import { rowsKernel } from './htp/rows.js';
import { dmaMs } from './moves.js';
import type { OperatorRule } from './rule.js';
import { F16_BYTES, inputBytesEach, matrixRows, outputBytesEach, roundUp } from './tensors.js';

/** Heads narrower than this are padded to it on the matrix unit (llama.cpp#26539). */
const HEAD_PADDING = 64;

/**
 * FlashAttention on the NPU: for each row tile and KV head, key blocks stream through TCM; both products run on
 * the matrix unit, the online softmax on the vector unit. Softmax work follows from the cost of one exponential
 * and its share of the kernel.
 */
function stagedAttention(op: AttentionWork, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { inputBytes, outputBytes, kvBytes } = op;
  const onMatrix = op.rows >= stack.numbers.matrixFromRows;
  const tile = profile.npu.matrixTile;
  // A graph in TCM holds the queries of all rows and meets each key block once; vector threads pad nothing.
  const inTcm = stack.activationsIn === 'tcm';
  const step = matrixRows(context);
  const block = Math.min(roundUp(op.keys, tile), roundUp(stack.numbers.attentionKeys, tile));
  const group = op.heads / op.kvHeads;
  const depth = onMatrix ? roundUp(op.headDim, HEAD_PADDING) : op.headDim;
  const buffers = (rows: number): TcmBuffer[] => [
    { name: 'queries', bytes: group * rows * depth * F16_BYTES, copies: PIPELINE_SLOTS.activations },
    { name: 'keys and values', bytes: 2 * block * op.headDim * kvBytes, copies: PIPELINE_SLOTS.packed },
    {
      name: 'tile-ordered keys and values',
      bytes: 2 * block * depth * F16_BYTES,
      copies: PIPELINE_SLOTS.decoded,
    },
    { name: 'scores', bytes: group * rows * block * F16_BYTES, copies: 1 },
    { name: 'output', bytes: group * rows * depth * F16_BYTES, copies: PIPELINE_SLOTS.output },
  ];
  const padded = roundUp(op.rows, step);
  /** As many rows together as the stack wants and TCM holds, one step at least. */
  const blockRows = (): number => {
    let rows = Math.min(padded, Math.max(step, roundUp(stack.numbers.attentionRows, step)));
    while (rows > step && tcmBytes(buffers(rows)) > profile.npu.tcm) rows -= step;
    return rows;
  };
  const rowTile = onMatrix ? (inTcm ? padded : blockRows()) : op.rows;
  // Its softmax is an operator of its own, over rows that exist; a fused kernel works on whole tiles.
  const softmaxRows = inTcm ? op.rows : rowTile;
  const rowTiles = Math.ceil(op.rows / rowTile);
  const rowsPerTile = op.rows / rowTiles;
  const softmaxOps =
    profile.npu.exponentialOps /
    profile.npu.exponentialShareOfAttention /
    profile.npu.vectorLanes /
    stack.numbers.softmaxSpeed;

  const threadsStore = stack.productActivations !== 'dma';
  const threadQueues = !onMatrix && stack.elementwise === 'queues';
  const cost = (keys: number, last: boolean): ChunkCost => {
    const padded = roundUp(keys, tile);
    const macs = 2 * group * rowTile * padded * depth;
    const multiplyMs = onMatrix ? macs / (rates.matrixMacsPerMs * stack.numbers.matrixRate) : 0;
    const vectorMacs = onMatrix ? 0 : macs / stack.numbers.vectorF16MacsPerCycle;
    const outBytes = last ? rowsPerTile * group * op.headDim * outputBytes : 0;
    const keyBytes = 2 * keys * op.headDim * kvBytes;
    return {
      loadMs: threadQueues ? keyBytes / rates.queuesBytesPerMs : dmaMs(keyBytes, multiplyMs, context),
      decodeMs: onMatrix ? (2 * padded * depth) / rates.convertElementsPerMs : 0,
      multiplyMs,
      finishMs:
        ((group * softmaxRows * padded * softmaxOps) / stack.numbers.vectorIpc + vectorMacs) /
          rates.vectorOpsPerMs +
        (threadsStore ? outBytes / rates.directBytesPerMs : 0),
      storeMs: threadsStore ? 0 : dmaMs(outBytes, 0, context),
      loadBytes: keyBytes,
      storeBytes: outBytes,
    };
  };
  const fullBlocks = Math.ceil(op.keys / block) - 1;
  const lastKeys = op.keys - fullBlocks * block;
  // One pass per row tile and KV head; its last block also stores the result.
  const pipeline: Pipeline = {
    path: 'dma',
    tiles: rowTiles * op.kvHeads,
    setup: {
      loadMs: dmaMs(rowsPerTile * group * op.headDim * inputBytes, 0, context),
      loadBytes: rowsPerTile * group * op.headDim * inputBytes,
      convertMs: (group * rowTile * depth) / rates.convertElementsPerMs,
    },
    chunk: cost(block, false),
    fullChunks: fullBlocks,
    rest: cost(lastKeys, true),
  };
  const { peakBytes } = allocateTcm(profile.npu.tcm, buffers(rowTile), op.owner);
  const width = op.heads * op.headDim;
  const outBytes = op.rows * width * outputBytes;
  const writes = op.writesCache ? cacheWrites(op, inputBytes, kvBytes, context) : null;
  return {
    pipelines: [...(writes === null ? [] : [writes.pipeline]), pipeline],
    repeats: 1,
    dmaBytes:
      rowTiles * 2 * op.keys * op.kvHeads * op.headDim * kvBytes +
      op.rows * width * inputBytes +
      (threadsStore ? 0 : outBytes),
    l2Bytes: (threadsStore ? outBytes : 0) + (writes?.bytes ?? 0),
    matrixMacs: onMatrix
      ? rowTiles * rowTile * op.heads * 2 * depth * (fullBlocks * block + roundUp(lastKeys, tile))
      : 0,
    tcmPeakBytes: peakBytes,
  };
}

/** Where the stack writes new keys and values to its cache by an operator: read as they were computed, stored as cached. */
function cacheWrites(
  op: AttentionWork,
  inputBytes: number,
  kvBytes: number,
  { stack, rates }: LowerContext,
): { readonly pipeline: Pipeline; readonly bytes: number } | null {
  if (!stack.extraOperators.kvWrites) return null;
  const elements = 2 * op.rows * op.kvHeads * op.headDim;
  const chunk: ChunkCost = {
    loadMs: (elements * inputBytes) / rates.directBytesPerMs,
    decodeMs: 0,
    multiplyMs: 0,
    finishMs: 0,
    storeMs: (elements * kvBytes) / rates.directBytesPerMs,
    loadBytes: elements * inputBytes,
    storeBytes: elements * kvBytes,
  };
  const setup = { loadMs: 0, convertMs: 0 };
  const pipeline: Pipeline = { path: 'l2', tiles: 1, setup, chunk, fullChunks: 1, rest: null };
  return { pipeline, bytes: elements * (inputBytes + kvBytes) };
}

function onNpu(op: AttentionOp, graph: OpGraph, context: LowerContext): Kernel {
  const { id: owner, rows, keys, heads, kvHeads, headDim } = op;
  return attentionKernel(
    {
      owner,
      rows,
      keys,
      heads,
      kvHeads,
      headDim,
      inputBytes: inputBytesEach(graph, context),
      outputBytes: outputBytesEach(op, graph, context),
      kvBytes: context.stack.kvElementBytes ?? (graph.precision.kv === 'f16' ? F16_BYTES : 2 * F16_BYTES),
      writesCache: true,
    },
    context,
  );
}

/** Attention as the kernels of the stack compute it, whatever graph it belongs to. */
export function attentionKernel(work: AttentionWork, context: LowerContext): Kernel {
  if (context.stack.kernelLoops === 'stages') return stagedAttention(work, context);
  const onMatrix = work.rows >= context.stack.numbers.attentionFromRows;
  const kernel = onMatrix ? matrixAttention(work, context) : vectorAttention(work, context);
  if (!work.writesCache || !context.stack.extraOperators.kvWrites) return kernel;
  const write = rowsKernel(
    {
      operator: 'SET_ROWS',
      rows: work.rows,
      width: work.kvHeads * work.headDim,
      inputBytes: work.inputBytes,
      outputBytes: work.kvBytes,
    },
    context,
  );
  return combined([write, write, kernel]);
}

/** How attention becomes work. */
export const attention: OperatorRule<AttentionOp> = {
  key: ({ rows, keys, heads, kvHeads, headDim }, { precision }) =>
    `${rows}:${keys}:${heads}:${kvHeads}:${headDim}:${precision.kv}`,
  npu: onNpu,
  cpu: (op, graph, profile) => cpuDotProducts(op, graph, profile, graph.precision.kv),
  // Keys and values are written by one operator each.
  starts: ({ extraOperators }) => (extraOperators.kvWrites ? 3 : 1),
};
