import { UsageError } from '../../../src/errors.js';
import type { Kernel, LowerContext } from '../kernel.js';
import type { ChunkCost, Pipeline } from '../pipeline.js';
import { PIPELINE_SLOTS } from '../pipeline.js';
import { allocateTcm, type TcmBuffer, tcmBytes } from '../tcm.js';
import { activationMoves, dmaMs } from './moves.js';
import { F16_BYTES, matrixRows, roundUp } from './tensors.js';

/** A matrix product y = x W^T, whatever operator it belongs to. */
export interface Product {
  readonly owner: string;
  readonly rows: number;
  readonly inWidth: number;
  readonly outWidth: number;
  readonly bytesPerWeight: number;
  /** False when weights go to the matrix unit as they are stored. */
  readonly packed: boolean;
  /** DRAM bytes of an element of x and of y. */
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** y = x W^T on the matrix unit: stream packed weights, decode on the vector unit, multiply tile by tile. */
export function matrixProduct(product: Product, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { rows, inWidth, outWidth, bytesPerWeight, inputBytes, outputBytes } = product;
  const tile = profile.npu.matrixTile;
  const rowTile = matrixRows(context);
  const rowTiles = Math.ceil(rows / rowTile);
  const passes = passesOver(product, rowTiles, context);
  /** Row tiles a decoded chunk meets before it is dropped: at most, and on average over the passes. */
  const together = Math.ceil(rowTiles / passes);
  const tilesPerPass = rowTiles / passes;
  const depth = roundUp(inWidth, tile);
  const columns = chunkColumns(product, together, passes, context);
  const width = roundUp(outWidth, tile);
  const rowsPerPass = rows / passes;
  const macsPerMs = rates.matrixMacsPerMs * stack.numbers.matrixRate;
  const serial = rows < stack.numbers.overlapFromRows;
  const moved = activationMoves(
    { in: rowsPerPass * inWidth * inputBytes, out: rowsPerPass * outWidth * outputBytes },
    { in: (tilesPerPass * rowTile * depth) / rates.convertElementsPerMs, out: 0 },
    context,
  );

  /** A chunk of `valid` output columns, computed as whole tiles. */
  const cost = (valid: number): ChunkCost => {
    const count = roundUp(valid, tile);
    const weights = count * depth;
    const multiplyMs = (tilesPerPass * rowTile * weights) / macsPerMs;
    const outElements = tilesPerPass * rowTile * count;
    const { finishMs, storeMs } = activationMoves(
      { in: 0, out: rowsPerPass * valid * outputBytes },
      { in: 0, out: outElements / rates.convertElementsPerMs },
      context,
    );
    return {
      loadMs: dmaMs(valid * inWidth * bytesPerWeight, serial ? 0 : multiplyMs, context),
      loadBytes: valid * inWidth * bytesPerWeight,
      decodeMs: product.packed ? weights / (rates.decodeWeightsPerMs * stack.numbers.decodeSpeed) : 0,
      multiplyMs,
      finishMs,
      storeMs,
      storeBytes: rowsPerPass * valid * outputBytes,
    };
  };
  const restColumns = outWidth % columns;
  const pipeline: Pipeline = {
    path: 'dma',
    tiles: passes,
    setup: {
      loadMs: moved.loadMs,
      loadBytes: rowsPerPass * inWidth * inputBytes,
      convertMs: moved.convertMs,
    },
    chunk: cost(columns),
    fullChunks: Math.floor(outWidth / columns),
    rest: restColumns === 0 ? null : cost(restColumns),
    serial,
  };
  const { peakBytes } = allocateTcm(
    profile.npu.tcm,
    buffers(product, columns, together, passes, context),
    product.owner,
  );
  return {
    pipelines: [pipeline],
    repeats: 1,
    dmaBytes: passes * (outWidth * inWidth * bytesPerWeight + moved.dmaBytes),
    l2Bytes: passes * moved.l2Bytes,
    matrixMacs: rowTiles * rowTile * depth * width,
    tcmPeakBytes: peakBytes,
  };
}

/**
 * How often all weights are streamed: once per row tile, or, with reuse, once per block of row tiles that fits
 * TCM beside one column tile of weights.
 */
function passesOver(product: Product, rowTiles: number, context: LowerContext): number {
  const { profile, stack } = context;
  if (stack.weightReuse === 'none') return rowTiles;
  const fits = (passes: number): boolean =>
    tcmBytes(buffers(product, profile.npu.matrixTile, Math.ceil(rowTiles / passes), passes, context)) <=
    profile.npu.tcm;
  let passes = 1;
  while (passes < rowTiles && !fits(passes)) passes++;
  return passes;
}

/** Output columns of one chunk: as many as the stack wants, fewer where TCM is small. */
function chunkColumns(product: Product, together: number, passes: number, context: LowerContext): number {
  const { profile, stack } = context;
  const tile = profile.npu.matrixTile;
  const depth = roundUp(product.inWidth, tile);
  const bytes = (columns: number): number => tcmBytes(buffers(product, columns, together, passes, context));
  const wanted = Math.max(1, Math.floor(stack.numbers.chunkWeights / depth / tile)) * tile;
  let columns = Math.min(wanted, roundUp(product.outWidth, tile));
  while (columns > tile && bytes(columns) > profile.npu.tcm) columns -= tile;
  if (bytes(columns) > profile.npu.tcm) {
    throw new UsageError(
      `${product.owner}: one column tile of depth ${depth} does not fit ${profile.npu.tcm} B of on-chip memory`,
    );
  }
  return columns;
}

function buffers(
  product: Product,
  columns: number,
  together: number,
  passes: number,
  context: LowerContext,
): TcmBuffer[] {
  const depth = roundUp(product.inWidth, context.profile.npu.matrixTile);
  const rowTile = matrixRows(context);
  const weights = columns * depth;
  const { packed, decoded, output, activations } = PIPELINE_SLOTS;
  const activation = together * rowTile * depth * F16_BYTES;
  return [
    // With all row tiles together there is only one activation set, so it needs no second slot.
    { name: 'activations', bytes: activation, copies: together > 1 && passes === 1 ? 1 : activations },
    { name: 'packed weights', bytes: weights * product.bytesPerWeight, copies: packed },
    { name: 'decoded weights', bytes: product.packed ? weights * F16_BYTES : 0, copies: decoded },
    { name: 'output', bytes: together * rowTile * columns * F16_BYTES, copies: output },
  ];
}
