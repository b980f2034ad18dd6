import type { Kernel, LowerContext } from '../../kernel.js';
import type { ChunkCost, Pipeline } from '../../pipeline.js';
import type { RowWork } from '../row-operator.js';
import { ROPE_ANGLES, ROW_COSTS } from './row-costs.js';
import { F32_LANES, forkMs, phaseMs, queuesMs, split } from './threads.js';

/** Rows that a thread has under way where each is a transfer of its own (`HTP_ROPE_SPAD_NROWS`). */
const ROWS_UNDER_WAY = 8;

/**
 * An element-wise operator of llama.cpp's Hexagon backend: rows are split among the threads, so that a single row is the
 * work of a single thread. A thread fetches a block of its rows by its DMA queue, computes, and stores the block; two
 * blocks are under way. One start and join of the threads.
 */
export function rowsKernel(work: RowWork, context: LowerContext): Kernel {
  const { profile, rates } = context;
  const { operator, rows, width, heads = 1, broadcast = false, inputBytes, outputBytes } = work;
  const { perVector, perRow, direct = false, apart = false, reduces = false, ...cost } = ROW_COSTS[operator];
  const shared = broadcast || cost.shared === true;
  const inputs = broadcast ? cost.inputs - 1 : cost.inputs;
  const { threads, most } = split(rows, context);
  const inBytes = inputs * width * inputBytes;
  const outBytes = (reduces ? 1 : width) * outputBytes;
  // Two blocks of operands and of results each.
  const fit = Math.floor(profile.npu.tcm / threads / (2 * (inBytes + outBytes)));
  const block = Math.max(1, Math.min(most, fit, apart ? ROWS_UNDER_WAY : fit));
  const vectors = Math.ceil(width / F32_LANES);
  const angles = operator === 'ROPE' ? Math.ceil(width / 2 / F32_LANES) * (ROPE_ANGLES / heads) : 0;
  const perRowOps = vectors * perVector + perRow + angles;
  const { dmaLatency } = profile.npu;
  const moveMs = (bytes: number, rowBytes: number): number =>
    direct ? bytes / rates.directBytesPerMs : queuesMs(bytes, threads, context, apart ? rowBytes : undefined);
  const blocks = Math.ceil(most / block);
  const costOf = (count: number, last: boolean): ChunkCost => {
    // Threads are full but for the last; their blocks move together.
    const moved = (count / most) * rows;
    // A direct store is behind the thread as soon as it is issued; a queue is waited for.
    const flushMs = last && !direct ? dmaLatency : 0;
    return {
      loadMs: moveMs(moved * inBytes, inBytes),
      loadBytes: moved * inBytes,
      decodeMs: 0,
      multiplyMs: 0,
      finishMs: phaseMs(count * perRowOps, threads, context),
      storeMs: moveMs(moved * outBytes, outBytes) + flushMs,
      storeBytes: moved * outBytes,
    };
  };
  const sharedBytes = shared ? threads * width * inputBytes : 0;
  const pipeline: Pipeline = {
    path: direct ? 'l2' : 'dma',
    tiles: 1,
    // The first bytes are waited for; those of later blocks are under way by then.
    setup: {
      loadMs: dmaLatency + queuesMs(sharedBytes, threads, context),
      loadBytes: sharedBytes,
      convertMs: forkMs(rows, context),
    },
    chunk: costOf(block, false),
    fullChunks: blocks - 1,
    rest: costOf(most - (blocks - 1) * block, true),
    loadsWait: true,
  };
  const bytes = rows * (inBytes + outBytes) + sharedBytes;
  return {
    pipelines: [pipeline],
    repeats: 1,
    dmaBytes: direct ? 0 : bytes,
    l2Bytes: direct ? bytes : 0,
    matrixMacs: 0,
    tcmPeakBytes: Math.min(profile.npu.tcm, 2 * threads * block * (inBytes + outBytes)),
  };
}
