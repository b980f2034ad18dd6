import { UsageError } from '../../../../src/errors.js';
import { roundUp } from '../tensors.js';

/** How the matrix path of attention is cut. */
export interface AttentionBlocks {
  /** Query positions that meet a key block together, for every head of a group. */
  readonly queryRows: number;
  /** Keys of a block. */
  readonly keys: number;
  readonly tcmBytes: number;
}

const TILE = 32;
/** A block of keys has an even number of tiles. */
const KEY_STEP = 2 * TILE;
/** A loop with fewer key blocks is not pipelined. */
const PIPELINED_BLOCKS = 3;
/** Relative cost of a query block and of a key block, which the backend profiled and minimises (flash-attn-ops.h). */
export const BLOCK_COST = { query: 1400, keys: 200 } as const;
const F16 = 2;
const PAGE = 4096;

/**
 * Block sizes as `hmx_fa_find_chunk_size` of llama.cpp's flash-attn-ops.h chooses them: the cheapest cut that fits TCM,
 * and of equal ones the largest; at least three key blocks where the cache is long enough, so that they overlap.
 * @param capacityBytes of TCM
 * @param threads of the session, all of the chip's vector threads (`sess->n_threads`): each has rows of scores of its own, and one
 *   alone pipelines nothing
 * @throws UsageError when no cut fits
 */
export function attentionBlocks(
  shape: { rows: number; keys: number; group: number; headDim: number },
  capacityBytes: number,
  threads: number,
): AttentionBlocks {
  const { rows, keys, group, headDim } = shape;
  const step = Math.ceil(TILE / group);
  const most = Math.max(step, Math.floor(rows / step) * step);
  const pipelined = keys >= PIPELINED_BLOCKS * KEY_STEP && threads >= 2;
  const longest = Math.max(
    KEY_STEP,
    Math.floor((pipelined ? keys / PIPELINED_BLOCKS : keys) / KEY_STEP) * KEY_STEP,
  );
  let best: (AttentionBlocks & { readonly cost: number }) | null = null;
  for (let queryRows = most; queryRows >= step; queryRows -= step) {
    let block = longest;
    const bytes = (): number => tcmBytes(queryRows, block, { group, headDim, pipelined, threads });
    while (block > KEY_STEP && bytes() > capacityBytes) block -= KEY_STEP;
    if (bytes() > capacityBytes) continue;
    const cost = Math.ceil(rows / queryRows) * (BLOCK_COST.query + Math.ceil(keys / block) * BLOCK_COST.keys);
    const better =
      best === null ||
      cost < best.cost ||
      (cost === best.cost && queryRows * block > best.queryRows * best.keys);
    if (better) best = { queryRows, keys: block, tcmBytes: bytes(), cost };
  }
  if (best === null)
    throw new UsageError(`attention of ${headDim} wide heads does not fit ${capacityBytes} B`);
  return best;
}

/** `hmx_fa_compute_vtcm_usage`: queries, two results, keys and values as fetched and in tiles, scores, masks, rescaling. */
function tcmBytes(
  queryRows: number,
  keys: number,
  {
    group,
    headDim,
    pipelined,
    threads,
  }: { group: number; headDim: number; pipelined: boolean; threads: number },
): number {
  const rows = roundUp(group * queryRows, TILE);
  const pages = (elements: number): number => roundUp(elements * F16, PAGE);
  return (
    3 * pages(rows * headDim) +
    (4 + 1 + (pipelined ? 2 : 1)) * pages(keys * headDim) +
    2 * pages(rows * keys) +
    pages(rows * rows) +
    4 * roundUp(rows * F16, 256) +
    2 * threads * roundUp(keys * F16, 256) +
    pages(queryRows * roundUp(keys, KEY_STEP)) +
    roundUp(rows * F16, 128) +
    512
  );
}
