import { UsageError } from '../../../../src/errors.js';
import type { Kernel, LowerContext } from '../../kernel.js';
import type { ChunkCost, Pipeline } from '../../pipeline.js';
import type { AttentionWork } from '../attention-work.js';
import { F16_BYTES } from '../tensors.js';
import { EXP_F32, REDUCE } from './row-costs.js';
import { phaseMs, queuesMs, split } from './threads.js';

/** Keys of a block (`FLASH_ATTN_BLOCK_SIZE`); two blocks are under way. */
const BLOCK = 64;
/** Keys of a register of scores. */
const SCORES = 32;

/**
 * Vector instructions of a block of 64 keys for one query row, counted in `flash_attn_ext_f16_thread` and
 * hvx-fa-kernels.h. For 32 keys: eight dot products of four keys (26 and 9 for each register of the head), scaling, mask
 * and maximum 22, an exponential and its conversions, and 16 pairs of value rows (14 and 10 for each register). For a
 * block: the exponential of the change of the maximum, and the sum.
 */
export function blockInstructions(headDim: number): number {
  const registers = Math.ceil(headDim / 64);
  const scores = 8 * (26 + 9 * registers) + 22;
  const values = (SCORES / 2) * (14 + 10 * registers);
  return (BLOCK / SCORES) * (scores + EXP_F32 + 9 + values) + EXP_F32 + 2 * REDUCE + 9;
}

/**
 * Attention on vector threads: every query row of every head is one piece of work, and each fetches the keys and values of
 * its head by itself, row by row of the cache, and its row of the mask, which is F16. Nothing is shared between the heads of a
 * group, and a thread starts the next row when the last is stored.
 * @throws UsageError when the blocks of all threads do not fit TCM
 */
export function vectorAttention(work: AttentionWork, context: LowerContext): Kernel {
  const { profile, rates } = context;
  const { owner, rows, keys, heads, headDim, inputBytes, outputBytes, kvBytes } = work;
  const pieces = rows * heads;
  const { threads, most } = split(pieces, context);
  // Threads work on as many pieces together, on average: the last round does not fill them.
  const together = pieces / most;
  const rowBytes = headDim * kvBytes;
  const tcmPeakBytes = threads * (4 * BLOCK * rowBytes + headDim * (inputBytes + 4));
  const missing = tcmPeakBytes - profile.npu.tcm;
  if (missing > 0) {
    throw new UsageError(
      `${owner}: ${threads} threads with two blocks of keys and values each do not fit the on-chip memory (${profile.npu.tcm} B), ${missing} B too much`,
    );
  }
  const cost = (count: number, last: boolean): ChunkCost => ({
    loadMs:
      queuesMs(together * 2 * count * rowBytes, threads, context, rowBytes) +
      queuesMs(together * count * F16_BYTES, threads, context, count * F16_BYTES),
    loadBytes: together * count * (2 * rowBytes + F16_BYTES),
    decodeMs: 0,
    multiplyMs: 0,
    finishMs:
      phaseMs((count / BLOCK) * blockInstructions(headDim), threads, context) +
      (last ? (together * headDim * outputBytes) / rates.directBytesPerMs : 0),
    storeMs: 0,
  });
  const fullBlocks = Math.ceil(keys / BLOCK) - 1;
  const pipeline: Pipeline = {
    path: 'dma',
    tiles: most,
    setup: {
      loadMs: profile.npu.dmaLatency + queuesMs(together * headDim * inputBytes, threads, context),
      loadBytes: together * headDim * inputBytes,
      convertMs: 0,
    },
    chunk: cost(BLOCK, false),
    fullChunks: fullBlocks,
    rest: cost(keys - fullBlocks * BLOCK, true),
    tilesApart: true,
  };
  return {
    pipelines: [forkOf(context), pipeline],
    repeats: 1,
    dmaBytes: pieces * (keys * (2 * rowBytes + F16_BYTES) + headDim * inputBytes),
    l2Bytes: pieces * headDim * outputBytes,
    matrixMacs: 0,
    tcmPeakBytes,
  };

  function forkOf({ stack: { numbers } }: LowerContext): Pipeline {
    const none: ChunkCost = { loadMs: 0, decodeMs: 0, multiplyMs: 0, finishMs: numbers.forkMs, storeMs: 0 };
    return {
      path: 'dma',
      tiles: 1,
      setup: { loadMs: 0, convertMs: 0 },
      chunk: none,
      fullChunks: 1,
      rest: null,
    };
  }
}
