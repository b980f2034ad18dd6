import { UsageError } from '../../../../src/errors.js';
import type { Kernel, LowerContext } from '../../kernel.js';
import type { Pipeline } from '../../pipeline.js';
import { F32_LANES, forkMs, phaseMs, queuesMs, split } from './threads.js';

const F32_BYTES = 4;

/** Loop and queue around a block: scalar, counted roughly, as for rows. */
const BOOKKEEPING = 40;
/** A gather of 32 lanes from TCM, with its address. */
const GATHER = 4;

/** A convolution over the last positions of every channel (ggml: SSM_CONV), as LFM2 and Mamba have it. */
export interface ConvWork {
  readonly channels: number;
  readonly taps: number;
  /** Positions that are computed. */
  readonly rows: number;
}

/**
 * CONCAT of what a state keeps of each channel and of new positions, which lie the other way round: the kernel for a transposed
 * second operand (concat-ops.c of llama.cpp's Hexagon backend, `concat_2d_f32_transposed`). A thread takes 32 channels at a time:
 * it gathers the new positions, waits for what is kept, writes both and waits for that; only the new positions of the next block
 * are fetched meanwhile. Rows of a few numbers are transfers of their own.
 */
export function concatKernel({ channels, taps, rows }: ConvWork, context: LowerContext): Kernel {
  const { threads, most } = split(channels, context);
  const blocks = Math.ceil(most / F32_LANES);
  const kept = (taps - 1) * F32_BYTES;
  const result = (taps - 1 + rows) * F32_BYTES;
  const { dmaLatency } = context.profile.npu;
  const costOf = (channelsEach: number) => {
    const together = threads * channelsEach;
    const [keptBytes, newBytes, outBytes] = [kept, rows * F32_BYTES, result].map((each) => together * each);
    const instructions = channelsEach * Math.ceil(rows / F32_LANES) * GATHER + BOOKKEEPING;
    return {
      loadMs:
        dmaLatency +
        queuesMs(keptBytes, threads, context, kept) +
        queuesMs(newBytes, threads, context, channelsEach * F32_BYTES),
      loadBytes: keptBytes + newBytes,
      decodeMs: 0,
      multiplyMs: 0,
      finishMs: phaseMs(instructions, threads, context),
      storeMs: dmaLatency + queuesMs(outBytes, threads, context, result),
      storeBytes: outBytes,
    };
  };
  const bytes = 2 * channels * result;
  return alone(
    {
      path: 'dma',
      tiles: 1,
      setup: { loadMs: 0, convertMs: forkMs(channels, context) },
      chunk: costOf(Math.min(most, F32_LANES)),
      fullChunks: blocks - 1,
      rest: costOf(most - (blocks - 1) * F32_LANES),
      serial: true,
    },
    bytes,
    0,
  );
}

/** In-register transpose of 32 channels: loads and masks, five stages of 16 shuffles, copies (`hvx_transpose_32x32_f32`). */
const TRANSPOSE = 32 + 32 + 5 * 16 + 32;

/**
 * SSM_CONV (ssm-conv.c, `ssm_conv_thread_f32_decode` and `_prefill`): channels are split among the threads, in whole registers.
 * A thread fetches its weights and channels together, computes and stores. One position with four taps is multiplied as it lies;
 * with other taps weights and channels are transposed first. Several positions are gathered channel by channel, and a sliding
 * window stays in registers.
 */
export function convKernel({ channels, taps, rows }: ConvWork, context: LowerContext): Kernel {
  const registers = split(Math.ceil(channels / F32_LANES), context);
  const { threads } = registers;
  const held = taps - 1 + rows;
  const raw = taps === 4;
  const weights = raw && rows === 1 ? 0 : raw ? 16 : TRANSPOSE + taps;
  // Loads, products, four deals of pairs, sums, conversion and store; or the transpose and a product for each tap.
  const one = raw ? 8 + 4 + 4 + 3 + 1 + 1 : TRANSPOSE + taps + taps * 4 + 2;
  const window = raw ? 1 + 4 + 3 + 1 + 1 : taps * 4 + 2;
  const many = held * GATHER + 2 * taps + rows * window;
  const instructions = registers.most * (weights + (rows === 1 ? one : many)) + BOOKKEEPING;
  const weightBytes = channels * taps * F32_BYTES;
  const inBytes = channels * held * F32_BYTES;
  const outBytes = channels * rows * F32_BYTES;
  const { dmaLatency, tcm } = context.profile.npu;
  const fits = weightBytes * 2 + inBytes + outBytes;
  // Tiles of channels keep two blocks of operands and of results in TCM.
  const tiles = Math.max(1, Math.ceil((2 * fits) / tcm));
  if (registers.most < tiles)
    throw new UsageError(`SSM_CONV of ${rows} positions does not fit the ${tcm} B of on-chip memory`);
  const each = {
    loadMs: queuesMs(inBytes, threads, context, held * F32_BYTES) / tiles,
    loadBytes: inBytes / tiles,
    decodeMs: 0,
    multiplyMs: 0,
    finishMs: phaseMs(instructions, threads, context) / tiles,
    storeMs: queuesMs(outBytes, threads, context, (channels / threads / tiles) * F32_BYTES) / tiles,
    storeBytes: outBytes / tiles,
  };
  return alone(
    {
      path: 'dma',
      tiles: 1,
      setup: {
        loadMs: dmaLatency + queuesMs(weightBytes, threads, context),
        loadBytes: weightBytes,
        convertMs: forkMs(registers.threads, context),
      },
      chunk: each,
      fullChunks: tiles - 1,
      rest: { ...each, storeMs: each.storeMs + dmaLatency },
    },
    weightBytes + inBytes + outBytes,
    Math.min(tcm, fits),
  );
}

/** The state's last positions, copied to where they are kept by one queue (cpy-ops.c): rows of a few numbers. */
export function keepKernel({ channels, taps }: ConvWork, context: LowerContext): Kernel {
  const kept = (taps - 1) * F32_BYTES;
  const bytes = channels * kept;
  const moveMs = queuesMs(bytes, 1, context, kept);
  const { dmaLatency } = context.profile.npu;
  const cost = { loadMs: moveMs, decodeMs: 0, multiplyMs: 0, finishMs: 0, storeMs: dmaLatency };
  return alone(
    {
      path: 'dma',
      tiles: 1,
      setup: { loadMs: 0, convertMs: 0 },
      chunk: cost,
      fullChunks: 0,
      rest: { ...cost, loadBytes: bytes, storeBytes: bytes },
      serial: true,
    },
    2 * bytes,
    0,
  );
}

function alone(pipeline: Pipeline, dmaBytes: number, tcmPeakBytes: number): Kernel {
  return { pipelines: [pipeline], repeats: 1, dmaBytes, l2Bytes: 0, matrixMacs: 0, tcmPeakBytes };
}
