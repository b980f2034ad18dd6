import type { Kernel, LowerContext } from '../../kernel.js';
import type { ChunkCost, Pipeline } from '../../pipeline.js';
import { activationMoves, dmaMs } from '../moves.js';
import type { Product } from '../product.js';
import { matrixRows, roundUp } from '../tensors.js';
import { productBlocks } from './product-blocks.js';
import { phaseMs } from './threads.js';

/** Weights of a tile, and elements of a register pair that a conversion handles. */
const TILE_WEIGHTS = 1024;
const PAIR = 64;
/**
 * Vector instructions that decode a tile of 1024 weights, counted in hmx-mm-kernels-tiled.h. 4 bits: five loads, the scales,
 * eight times two halves and their offset, four shuffles, eight unpackings, 16 times a conversion, a product, a conversion and a
 * store. 8 bits: eight loads, eight unpackings, and the same 16.
 */
const DECODE = { fourBits: 98, eightBits: 82 } as const;
/**
 * Of 64 elements of two rows into a tile (two loads, two conversions, their join, a store, the loop: 8) and out of one (a
 * load, a conversion, two stores across a register, the loop: 8).
 */
const CONVERT = 8;

/**
 * y = x W^T on the matrix unit as `hmx_matmul_2d_f32` of llama.cpp runs it: rows are fetched and converted first, then chunks
 * of weights as large as TCM allows are fetched, decoded by all threads, multiplied, and stored. Large chunks make filling
 * and draining the pipeline a share of a small product. Each phase of the threads is started and joined; up to 32 rows nothing
 * overlaps.
 */
export function htpProduct(product: Product, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { rows, inWidth, outWidth, bytesPerWeight, inputBytes, outputBytes } = product;
  const { forkMs } = stack.numbers;
  const serial = rows < stack.numbers.overlapFromRows;
  const tile = profile.npu.matrixTile;
  const depth = roundUp(inWidth, tile);
  const cut = productBlocks(product, !serial, profile.npu.tcm);
  const columns = Math.min(cut.columns, roundUp(outWidth, tile));
  const passes = Math.ceil(rows / cut.rows);
  const rowsPerPass = rows / passes;
  const step = matrixRows(context);
  const paddedPerPass = (Math.ceil(rows / step) * step) / passes;
  const macsPerMs = rates.matrixMacsPerMs * stack.numbers.matrixRate;
  const threads = profile.npu.vectorThreads;
  const perTile = bytesPerWeight < 0.8 ? DECODE.fourBits : DECODE.eightBits;
  const decodeMs = (weights: number): number =>
    phaseMs((weights / TILE_WEIGHTS / threads) * perTile, threads, context) / stack.numbers.decodeSpeed;
  const convertMs = (elements: number): number =>
    phaseMs((elements / PAIR / threads) * CONVERT, threads, context);
  const moved = activationMoves(
    { in: rowsPerPass * inWidth * inputBytes, out: rowsPerPass * outWidth * outputBytes },
    { in: convertMs(paddedPerPass * depth), out: 0 },
    context,
  );
  const cost = (valid: number): ChunkCost => {
    const weights = roundUp(valid, tile) * depth;
    const multiplyMs = (paddedPerPass * weights) / macsPerMs;
    const { finishMs, storeMs } = activationMoves(
      { in: 0, out: rowsPerPass * valid * outputBytes },
      { in: 0, out: convertMs(paddedPerPass * roundUp(valid, tile)) },
      context,
    );
    return {
      loadMs: dmaMs(valid * inWidth * bytesPerWeight, serial ? 0 : multiplyMs, context),
      loadBytes: valid * inWidth * bytesPerWeight,
      decodeMs: product.packed ? decodeMs(weights) + forkMs : 0,
      multiplyMs,
      finishMs: finishMs + forkMs,
      storeMs,
      storeBytes: rowsPerPass * valid * outputBytes,
    };
  };
  const rest = outWidth % columns;
  const pipeline: Pipeline = {
    path: 'dma',
    tiles: passes,
    setup: {
      loadMs: moved.loadMs,
      loadBytes: rowsPerPass * inWidth * inputBytes,
      convertMs: moved.convertMs + profile.npu.dmaLatency + forkMs,
    },
    chunk: cost(columns),
    fullChunks: Math.floor(outWidth / columns),
    rest: rest === 0 ? null : cost(rest),
    serial,
    loadsWait: true,
  };
  return {
    pipelines: [pipeline],
    repeats: 1,
    dmaBytes: passes * (outWidth * inWidth * bytesPerWeight + moved.dmaBytes),
    l2Bytes: passes * moved.l2Bytes,
    matrixMacs: Math.ceil(rows / step) * step * depth * roundUp(outWidth, tile),
    tcmPeakBytes: cut.tcmBytes,
  };
}
