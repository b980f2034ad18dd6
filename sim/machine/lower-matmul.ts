import { UsageError } from '../../src/errors.js';
import type { MatMulOp, MoeOp, OpGraph } from '../../src/model/graph.js';
import type { Kernel, LowerContext } from './kernel.js';
import { dmaMs, F16_BYTES, roundUp, tensorOf } from './lower-common.js';
import type { ChunkCost, Pipeline } from './pipeline.js';
import { PIPELINE_SLOTS } from './pipeline.js';
import { allocateTcm, type TcmBuffer, tcmBytes } from './tcm.js';

interface Product {
  readonly owner: string;
  readonly rows: number;
  readonly inWidth: number;
  readonly outWidth: number;
  readonly bytesPerWeight: number;
  /** False when weights are stored as FP16 and go to the matrix unit as they are. */
  readonly packed: boolean;
}

/** y = x W^T on the matrix unit: stream packed weights, decode on the vector unit, multiply tile by tile. */
export function lowerMatMul(op: MatMulOp, graph: OpGraph, context: LowerContext): Kernel {
  const weight = tensorOf(graph, op.weights[0]);
  return lowerProduct(
    {
      ...{ owner: op.id, rows: op.rows, inWidth: op.inWidth, outWidth: op.outWidth },
      ...{ bytesPerWeight: weight.bytes / (op.inWidth * op.outWidth), packed: weight.dtype !== 'f16' },
    },
    context,
  );
}

/**
 * Routed experts: every expert that gets a row streams its three matrices. Under uniform routing `rows` rows
 * reach experts * (1 - (1 - k / experts)^rows) different experts in expectation.
 */
export function lowerMoe(op: MoeOp, graph: OpGraph, context: LowerContext): Kernel {
  const { rows, width, experts, expertsPerToken, expertFfn } = op;
  const reached = Math.ceil(reachedExperts(op));
  const rowsEach = Math.max(1, Math.ceil((rows * expertsPerToken) / reached));
  const weight = tensorOf(graph, op.weights[0]);
  const bytesPerWeight = weight.bytes / (experts * expertFfn * width);
  const packed = weight.dtype !== 'f16';
  const shared = { owner: op.id, rows: rowsEach, bytesPerWeight, packed };
  const up = lowerProduct({ ...shared, inWidth: width, outWidth: expertFfn }, context);
  const down = lowerProduct({ ...shared, inWidth: expertFfn, outWidth: width }, context);
  const pipelines: Pipeline[] = [];
  for (let expert = 0; expert < reached; expert++) {
    pipelines.push(...up.pipelines, ...up.pipelines, ...down.pipelines);
  }
  return {
    pipelines,
    dmaBytes: reached * (2 * up.dmaBytes + down.dmaBytes),
    l2Bytes: 0,
    matrixMacs: reached * (2 * up.matrixMacs + down.matrixMacs),
    tcmPeakBytes: Math.max(up.tcmPeakBytes, down.tcmPeakBytes),
  };
}

/** Expected number of different experts that `rows` rows reach under uniform routing. */
export function reachedExperts(op: MoeOp): number {
  return op.experts * (1 - (1 - op.expertsPerToken / op.experts) ** op.rows);
}

function lowerProduct(product: Product, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { rows, inWidth, outWidth, bytesPerWeight } = product;
  const tile = profile.npu.matrixTile;
  const rowTiles = Math.ceil(rows / tile);
  const reuse = stack.weightReuse === 'all-tiles';
  /** Row tiles a decoded chunk meets before it is dropped, and passes over all weights. */
  const together = reuse ? rowTiles : 1;
  const passes = reuse ? 1 : rowTiles;
  const depth = roundUp(inWidth, tile);
  const columns = chunkColumns(product, together, context);
  const width = roundUp(outWidth, tile);
  const rowsPerPass = reuse ? rows : rows / rowTiles;

  /** A chunk of `valid` output columns, computed as whole tiles. */
  const cost = (valid: number): ChunkCost => {
    const count = roundUp(valid, tile);
    const weights = count * depth;
    const multiplyMs = (together * tile * weights) / rates.matrixMacsPerMs;
    const outElements = together * tile * count;
    return {
      loadMs: dmaMs(valid * inWidth * bytesPerWeight, multiplyMs, context),
      decodeMs: product.packed ? weights / rates.decodeWeightsPerMs : 0,
      multiplyMs,
      finishMs: outElements / rates.convertElementsPerMs,
      storeMs: dmaMs(rowsPerPass * valid * F16_BYTES, 0, context),
    };
  };
  const restColumns = outWidth % columns;
  const activationBytes = rowsPerPass * inWidth * F16_BYTES;
  const pipeline: Pipeline = {
    path: 'dma',
    tiles: passes,
    setup: {
      loadMs: dmaMs(activationBytes, 0, context),
      convertMs: (together * tile * depth) / rates.convertElementsPerMs,
    },
    chunk: cost(columns),
    fullChunks: Math.floor(outWidth / columns),
    rest: restColumns === 0 ? null : cost(restColumns),
  };
  const { peakBytes } = allocateTcm(
    profile.npu.tcm,
    buffers(product, columns, together, tile),
    product.owner,
  );
  return {
    pipelines: [pipeline],
    dmaBytes: passes * (outWidth * inWidth * bytesPerWeight) + rows * (inWidth + outWidth) * F16_BYTES,
    l2Bytes: 0,
    matrixMacs: rowTiles * tile * depth * width,
    tcmPeakBytes: peakBytes,
  };
}

/** Output columns of one chunk: as many as the stack wants, fewer where TCM is small. */
function chunkColumns(product: Product, together: number, context: LowerContext): number {
  const { profile, stack } = context;
  const tile = profile.npu.matrixTile;
  const depth = roundUp(product.inWidth, tile);
  const wanted = Math.max(1, Math.floor(stack.numbers.chunkWeights / depth / tile)) * tile;
  let columns = Math.min(wanted, roundUp(product.outWidth, tile));
  while (columns > tile && tcmBytes(buffers(product, columns, together, tile)) > profile.npu.tcm)
    columns -= tile;
  if (tcmBytes(buffers(product, columns, together, tile)) > profile.npu.tcm) {
    throw new UsageError(
      `${product.owner}: one column tile of depth ${depth} does not fit ${profile.npu.tcm} B of on-chip memory`,
    );
  }
  return columns;
}

function buffers(product: Product, columns: number, together: number, tile: number): TcmBuffer[] {
  const depth = roundUp(product.inWidth, tile);
  const weights = columns * depth;
  const { packed, decoded, output, activations } = PIPELINE_SLOTS;
  const activation = together * tile * depth * F16_BYTES;
  return [
    // With all row tiles together there is only one activation set, so it needs no second slot.
    { name: 'activations', bytes: activation, copies: together > 1 ? 1 : activations },
    { name: 'packed weights', bytes: weights * product.bytesPerWeight, copies: packed },
    { name: 'decoded weights', bytes: product.packed ? weights * F16_BYTES : 0, copies: decoded },
    { name: 'output', bytes: together * tile * columns * F16_BYTES, copies: output },
  ];
}
