import type { Kernel, LowerContext } from './kernel.js';
import { dmaMs, roundUp } from './lower-common.js';
import type { Product } from './lower-matmul.js';
import type { ChunkCost } from './pipeline.js';
import { allocateTcm } from './tcm.js';

/** Bytes of an 8-bit activation in blocks of 32 with an f16 scale. */
const QUANTIZED_BYTES = 34 / 32;
/** Share of TCM that activations may take; weights stream through the rest. */
const ACTIVATION_SHARE = 0.75;

/**
 * y = x W^T on vector threads: activations become 8-bit blocks in TCM once, packed weight rows stream in and each
 * meets every activation row. Nothing is padded.
 */
export function lowerVectorProduct(product: Product, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { owner, rows, inWidth, outWidth, bytesPerWeight, inputBytes, outputBytes } = product;
  const { chunkWeights, vectorQuantPerCycle } = stack.numbers;
  const macsPerCycle =
    bytesPerWeight < 1 ? stack.numbers.vectorMacsPerCycle : stack.numbers.vectorQ8MacsPerCycle;
  const rowBytes = inWidth * QUANTIZED_BYTES;
  const passes = Math.max(1, Math.ceil((rows * rowBytes) / (ACTIVATION_SHARE * profile.npu.tcm)));
  const rowsPerPass = rows / passes;
  const columns = Math.min(outWidth, Math.max(1, Math.floor(chunkWeights / inWidth)));
  const cost = (count: number): ChunkCost => ({
    loadMs: dmaMs(count * inWidth * bytesPerWeight, 0, context),
    decodeMs: 0,
    multiplyMs: 0,
    finishMs: (rowsPerPass * count * inWidth) / (macsPerCycle * rates.vectorOpsPerMs),
    storeMs: dmaMs(rowsPerPass * count * outputBytes, 0, context),
  });
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
        ...{ path: 'dma', tiles: passes },
        setup: {
          loadMs: dmaMs(rowsPerPass * inWidth * inputBytes, 0, context),
          convertMs: (rowsPerPass * inWidth) / (vectorQuantPerCycle * rates.vectorOpsPerMs),
        },
        ...{ chunk: cost(columns), fullChunks: Math.floor(outWidth / columns) },
        rest: rest === 0 ? null : cost(rest),
      },
    ],
    repeats: 1,
    dmaBytes:
      passes * outWidth * inWidth * bytesPerWeight + rows * (inWidth * inputBytes + outWidth * outputBytes),
    ...{ l2Bytes: 0, matrixMacs: 0, tcmPeakBytes: peakBytes },
  };
}
