import type { AttentionOp, OpGraph } from '../../src/model/graph.js';
import type { Kernel, LowerContext } from './kernel.js';
import { dmaMs, F16_BYTES, inputBytesEach, matrixRows, outputBytesEach, roundUp } from './lower-common.js';
import type { ChunkCost, Pipeline } from './pipeline.js';
import { PIPELINE_SLOTS } from './pipeline.js';
import { allocateTcm } from './tcm.js';

/** Heads narrower than this are padded to it on the matrix unit (llama.cpp#26539). */
const HEAD_PADDING = 64;

/**
 * FlashAttention on the NPU: for each row tile and KV head, key blocks stream through TCM; both products run on
 * the matrix unit, the online softmax on the vector unit. Softmax work follows from the cost of one exponential
 * and its share of the kernel.
 */
export function lowerAttention(op: AttentionOp, graph: OpGraph, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const onMatrix = op.rows >= stack.numbers.matrixFromRows;
  const tile = profile.npu.matrixTile;
  // A graph in TCM holds the queries of all rows and meets each key block once; vector threads pad nothing.
  const inTcm = stack.activationsIn === 'tcm';
  const step = matrixRows(context);
  const rowTile = onMatrix ? (inTcm ? roundUp(op.rows, step) : step) : op.rows;
  // Its softmax is an operator of its own, over rows that exist; a fused kernel works on whole tiles.
  const softmaxRows = inTcm ? op.rows : rowTile;
  const rowTiles = Math.ceil(op.rows / rowTile);
  const rowsPerTile = op.rows / rowTiles;
  const group = op.heads / op.kvHeads;
  const depth = onMatrix ? roundUp(op.headDim, HEAD_PADDING) : op.headDim;
  const kvBytes = stack.kvElementBytes ?? (graph.precision.kv === 'f16' ? F16_BYTES : 2 * F16_BYTES);
  const block = Math.min(roundUp(op.keys, tile), roundUp(stack.numbers.attentionKeys, tile));
  const inputBytes = inputBytesEach(graph, context);
  const outputBytes = outputBytesEach(op, graph, context);
  const softmaxOps =
    profile.npu.exponentialOps / profile.npu.exponentialShareOfAttention / profile.npu.vectorLanes;

  const cost = (keys: number, last: boolean): ChunkCost => {
    const padded = roundUp(keys, tile);
    const macs = 2 * group * rowTile * padded * depth;
    const multiplyMs = onMatrix ? macs / (rates.matrixMacsPerMs * stack.numbers.matrixRate) : 0;
    const vectorMacs = onMatrix ? 0 : macs / stack.numbers.vectorF16MacsPerCycle;
    const outBytes = last ? rowsPerTile * group * op.headDim * outputBytes : 0;
    return {
      loadMs: dmaMs(2 * keys * op.headDim * kvBytes, multiplyMs, context),
      decodeMs: onMatrix ? (2 * padded * depth) / rates.convertElementsPerMs : 0,
      multiplyMs,
      finishMs: (group * softmaxRows * padded * softmaxOps + vectorMacs) / rates.vectorOpsPerMs,
      storeMs: dmaMs(outBytes, 0, context),
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
      convertMs: (group * rowTile * depth) / rates.convertElementsPerMs,
    },
    chunk: cost(block, false),
    fullChunks: fullBlocks,
    rest: cost(lastKeys, true),
  };
  const { packed, decoded, output, activations } = PIPELINE_SLOTS;
  const { peakBytes } = allocateTcm(
    profile.npu.tcm,
    [
      { name: 'queries', bytes: group * rowTile * depth * F16_BYTES, copies: activations },
      { name: 'keys and values', bytes: 2 * block * op.headDim * kvBytes, copies: packed },
      { name: 'tile-ordered keys and values', bytes: 2 * block * depth * F16_BYTES, copies: decoded },
      { name: 'scores', bytes: group * rowTile * block * F16_BYTES, copies: 1 },
      { name: 'output', bytes: group * rowTile * depth * F16_BYTES, copies: output },
    ],
    op.id,
  );
  const width = op.heads * op.headDim;
  return {
    pipelines: [pipeline],
    repeats: 1,
    dmaBytes:
      rowTiles * 2 * op.keys * op.kvHeads * op.headDim * kvBytes +
      op.rows * width * (inputBytes + outputBytes),
    l2Bytes: 0,
    matrixMacs: onMatrix
      ? rowTiles * rowTile * op.heads * 2 * depth * (fullBlocks * block + roundUp(lastKeys, tile))
      : 0,
    tcmPeakBytes: peakBytes,
  };
}
