import type { Kernel, LowerContext } from '../../kernel.js';
import type { ChunkCost, Pipeline } from '../../pipeline.js';
import type { AttentionWork } from '../attention-work.js';
import { F16_BYTES, roundUp } from '../tensors.js';
import { attentionBlocks, BLOCK_COST } from './attention-blocks.js';
import { EXP_F32 } from './row-costs.js';
import { forkMs, phaseMs, queuesMs, split } from './threads.js';

const TILE = 32;
/** Query rows of a register of row maxima, which is the piece of work that threads share a softmax by. */
const REGISTER_ROWS = 64;
/** Packets that a scatter into TCM keeps a thread waiting: 24 to 48 (arXiv:2509.23324), the middle. */
const SCATTER = 36;
/** Starts and joins of the threads in a key block: keys into tiles, values into tiles, softmax. */
const PHASES = 3;

/**
 * Vector instructions of two query rows over one key block, counted in `fa_softmax_thread` (V79, F32 exponential): 109 and,
 * for each 64 keys, 28 to fetch and mask the scores, four exponentials, and 15 to store and add them up.
 */
export function softmaxPairInstructions(keys: number): number {
  return 109 + Math.ceil(keys / 64) * (28 + 4 * EXP_F32 + 15);
}

/**
 * Attention on the matrix unit, as the loop of hmx-flash-attn-ops.c runs: for each block of query rows and each KV head, key
 * blocks are fetched, brought into tile order, multiplied, put through the softmax and multiplied with the values. The mask,
 * F16 and the same for all heads, comes with each key block. Threads share a softmax by 64 rows, so few rows keep few threads
 * busy; each phase starts and joins the threads.
 */
export function matrixAttention(work: AttentionWork, context: LowerContext): Kernel {
  const { profile, stack, rates } = context;
  const { rows, keys, heads, kvHeads, headDim, inputBytes, outputBytes, kvBytes } = work;
  const group = heads / kvHeads;
  const threads = profile.npu.vectorThreads;
  const cut = attentionBlocks({ rows, keys, group, headDim }, profile.npu.tcm, threads);
  const rowBytes = headDim * kvBytes;
  const macsPerMs = rates.matrixMacsPerMs * stack.numbers.matrixRate;
  const phase = stack.numbers.forkMs;

  const tile = (queryRows: number): Pipeline => {
    const together = queryRows * group;
    const padded = roundUp(together, TILE);
    const cost = (count: number): ChunkCost => {
      const registers = Math.ceil(together / REGISTER_ROWS);
      const softmax = split(registers, context);
      const pairs = Math.min((softmax.most * REGISTER_ROWS) / 2, Math.ceil(together / 2));
      const perThread = Math.ceil(count / threads);
      // Keys are transposed by scatters; values are interleaved by pairs of rows.
      const intoTiles = Math.ceil(headDim / 64) * perThread * (SCATTER + 3);
      const maskRow = count * F16_BYTES;
      return {
        loadMs:
          profile.npu.dmaLatency +
          queuesMs(2 * count * rowBytes, 1, context, rowBytes) +
          queuesMs(queryRows * maskRow, 1, context, maskRow),
        loadBytes: 2 * count * rowBytes + queryRows * maskRow,
        decodeMs: phaseMs(intoTiles, threads, context) + 2 * phase,
        multiplyMs: (2 * padded * roundUp(count, TILE) * headDim) / macsPerMs,
        finishMs:
          phaseMs(pairs * softmaxPairInstructions(count), softmax.threads, context) +
          phaseMs(registers * (2 * EXP_F32 + 20) + (padded / TILE) * SCATTER, 1, context) +
          forkMs(registers, context),
        storeMs: 0,
      };
    };
    const rest = keys % cut.keys;
    // What a query block costs beside its key blocks, in the backend's own proportion to a key block's phases.
    const fixedMs = (BLOCK_COST.query / BLOCK_COST.keys) * PHASES * phase;
    const movedMs = (together * headDim * (inputBytes + outputBytes)) / rates.directBytesPerMs;
    return {
      path: 'dma',
      tiles: kvHeads,
      setup: { loadMs: 0, convertMs: fixedMs + movedMs },
      chunk: cost(cut.keys),
      fullChunks: Math.floor(keys / cut.keys),
      rest: rest === 0 ? null : cost(rest),
      tilesApart: true,
    };
  };
  const full = Math.floor(rows / cut.queryRows);
  const last = rows - full * cut.queryRows;
  const pipelines = [
    ...new Array<Pipeline>(full).fill(tile(cut.queryRows)),
    ...(last === 0 ? [] : [tile(last)]),
  ];
  const blocks = pipelines.length;
  const macs = (count: number): number => 2 * roundUp(count * group, TILE) * roundUp(keys, TILE) * headDim;
  return {
    pipelines,
    repeats: 1,
    dmaBytes: kvHeads * keys * (blocks * 2 * rowBytes + rows * F16_BYTES),
    l2Bytes: rows * heads * headDim * (inputBytes + outputBytes),
    matrixMacs: kvHeads * (full * macs(cut.queryRows) + macs(last)),
    tcmPeakBytes: cut.tcmBytes,
  };
}
