import type { Kernel, LowerContext } from '../../kernel.js';
import type { ChunkCost, Pipeline } from '../../pipeline.js';
import type { RowWork } from '../row-operator.js';
import { F16_BYTES } from '../tensors.js';
import { ROPE_ANGLES, ROW_COSTS } from './row-costs.js';
import { F32_LANES, forkMs, phaseMs, queuesMs, split } from './threads.js';

/** Rows that a thread has under way where each is a transfer of its own (`HTP_ROPE_SPAD_NROWS`). */
const ROWS_UNDER_WAY = 8;

/** Rows of this many elements and more are gathered by DMA from DRAM to DRAM, where no format changes (get-rows-ops.c). */
const MOVED_BY_DMA = 2048;

/**
 * An element-wise operator of llama.cpp's Hexagon backend: rows are split among the threads, so that a single row is the
 * work of a single thread. A thread fetches a block of its rows by its DMA queue, computes, and stores the block; two
 * blocks are under way. One start and join of the threads.
 */
export function rowsKernel(work: RowWork, context: LowerContext): Kernel {
  const { profile, rates } = context;
  const { operator, rows, width, heads = 1, broadcast = false, inputBytes, outputBytes } = work;
  const { maskBytes = 0 } = work;
  const { perRow, apart = false, reduces = false, halves = false, ...cost } = ROW_COSTS[operator];
  const moved = operator === 'GET_ROWS' && width >= MOVED_BY_DMA && inputBytes === outputBytes;
  const direct = cost.direct === true && !moved;
  const perVector = moved ? 0 : cost.perVector;
  const shared = broadcast || cost.shared === true;
  const inputs = broadcast ? cost.inputs - 1 : cost.inputs;
  const { threads, most } = split(rows, context);
  // A mask that heads share comes from DRAM once.
  const inBytes = inputs * width * inputBytes + maskBytes / rows;
  const outBytes = (reduces ? 1 : width) * outputBytes;
  // Two blocks of operands and of results each.
  const fit = Math.floor(profile.npu.tcm / threads / (2 * (inBytes + outBytes)));
  const block = Math.max(1, Math.min(most, fit, apart ? ROWS_UNDER_WAY : fit));
  const lanes = halves && inputBytes === F16_BYTES ? 2 * F32_LANES : F32_LANES;
  const vectors = Math.ceil(width / lanes);
  const angles = operator === 'ROPE' ? Math.ceil(width / 2 / F32_LANES) * (ROPE_ANGLES / heads) : 0;
  const perRowOps = vectors * perVector + perRow + angles;
  const { dmaLatency } = profile.npu;
  const moveMs = (bytes: number, rowBytes: number): number =>
    direct ? bytes / rates.directBytesPerMs : queuesMs(bytes, threads, context, apart ? rowBytes : undefined);
  const blocks = Math.ceil(most / block);
  const costOf = (count: number, last: boolean): ChunkCost => {
    // Threads are full but for the last; their blocks move together.
    const share = (count / most) * rows;
    // A direct store is behind the thread as soon as it is issued; a queue is waited for.
    const flushMs = last && !direct ? dmaLatency : 0;
    return {
      loadMs: moveMs(share * inBytes, inBytes),
      loadBytes: share * inBytes,
      decodeMs: 0,
      multiplyMs: 0,
      finishMs: phaseMs(count * perRowOps, threads, context),
      storeMs: moveMs(share * outBytes, outBytes) + flushMs,
      storeBytes: share * outBytes,
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
