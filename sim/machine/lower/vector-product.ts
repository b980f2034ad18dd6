import type { Kernel, LowerContext } from '../kernel.js';
import type { ChunkCost } from '../pipeline.js';
import { allocateTcm } from '../tcm.js';
import { activationMoves } from './moves.js';
import type { Product } from './product.js';
import { roundUp } from './tensors.js';

/** Bytes of an 8-bit activation in blocks of 32 with an f16 scale. */
const QUANTIZED_BYTES = 34 / 32;
/** Share of TCM that activations may take; weights stream through the rest. */
const ACTIVATION_SHARE = 0.75;
/**
 * Output columns of a chunk: half of the 16 weight rows that each of six threads has in flight (`MM_SPAD_SRC0_NROWS` in
 * matmul-ops.c). The same with more threads: cutting differently would make some products slower on a faster chip.
 */
const CHUNK_COLUMNS = 48;

/**
 * y = x W^T on vector threads: activations become 8-bit blocks in TCM once, packed weight rows stream in and each
 * meets every activation row. Nothing is padded. Every thread has a DMA queue of its own and many transfers in flight, so
 * the latency of a transfer counts once.
 */
export function vectorProduct(product: Product, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { owner, rows, inWidth, outWidth, bytesPerWeight, inputBytes, outputBytes } = product;
  const { vectorQuantPerCycle } = stack.numbers;
  const macsPerCycle =
    bytesPerWeight < 1 ? stack.numbers.vectorMacsPerCycle : stack.numbers.vectorQ8MacsPerCycle;
  const direct = stack.vectorWeights === 'direct';
  const weightsPerMs = direct ? rates.directBytesPerMs : rates.queuesBytesPerMs;
  const rowBytes = inWidth * QUANTIZED_BYTES;
  const passes = Math.max(1, Math.ceil((rows * rowBytes) / (ACTIVATION_SHARE * profile.npu.tcm)));
  const rowsPerPass = rows / passes;
  const columns = Math.min(outWidth, CHUNK_COLUMNS);
  const cost = (count: number): ChunkCost => {
    const { finishMs, storeMs } = activationMoves(
      { in: 0, out: rowsPerPass * count * outputBytes },
      { in: 0, out: (rowsPerPass * count * inWidth) / (macsPerCycle * rates.vectorOpsPerMs) },
      context,
    );
    return {
      loadMs: (count * inWidth * bytesPerWeight) / weightsPerMs,
      loadBytes: count * inWidth * bytesPerWeight,
      decodeMs: 0,
      multiplyMs: 0,
      finishMs,
      storeMs,
      storeBytes: rowsPerPass * count * outputBytes,
    };
  };
  const moved = activationMoves(
    { in: rowsPerPass * inWidth * inputBytes, out: rowsPerPass * outWidth * outputBytes },
    { in: (rowsPerPass * inWidth) / (vectorQuantPerCycle * rates.vectorOpsPerMs), out: 0 },
    context,
  );
  const weightBytes = outWidth * inWidth * bytesPerWeight;
  const { peakBytes } = allocateTcm(
    profile.npu.tcm,
    [
      { name: 'activations', bytes: Math.ceil(rowsPerPass) * rowBytes, copies: 1 },
      { name: 'packed weights', bytes: columns * roundUp(inWidth, 32) * bytesPerWeight, copies: 2 },
    ],
    owner,
  );
  const rest = outWidth % columns;
  return {
    pipelines: [
      {
        path: direct ? 'l2' : 'dma',
        tiles: passes,
        setup: {
          loadMs: moved.loadMs + profile.npu.dmaLatency,
          loadBytes: moved.loadMs > 0 ? rowsPerPass * inWidth * inputBytes : 0,
          // Threads quantize the activations, and then multiply: two phases in llama.cpp's loop.
          convertMs: moved.convertMs + 2 * stack.numbers.forkMs,
        },
        loadsWait: stack.kernelLoops === 'htp',
        chunk: cost(columns),
        fullChunks: Math.floor(outWidth / columns),
        rest: rest === 0 ? null : cost(rest),
      },
    ],
    repeats: 1,
    dmaBytes: passes * (moved.dmaBytes + (direct ? 0 : weightBytes)),
    l2Bytes: passes * (moved.l2Bytes + (direct ? weightBytes : 0)),
    matrixMacs: 0,
    tcmPeakBytes: peakBytes,
  };
}
