import { UsageError } from '../../../../src/errors.js';
import { roundUp } from '../tensors.js';

/** How a product on the matrix unit is cut. */
export interface ProductBlocks {
  /** Rows that meet a chunk of weights. */
  readonly rows: number;
  /** Output columns of a chunk. */
  readonly columns: number;
  readonly tcmBytes: number;
}

const TILE = 32;
const F16 = 2;
/** Decoding all weights again for a further block of rows, and converting rows again, weighed against each other. */
const AGAIN = { weights: 3, activations: 2 } as const;
/** Rows of F32 that each fetching thread has under way, and threads that fetch. */
const FETCH = { rows: 4, threads: 4 } as const;
const F32 = 4;

/**
 * Chunk sizes as `hmx_compute_chunks` of llama.cpp's matmul-ops.h chooses them: as few blocks of rows and of columns as fit
 * TCM, where two chunks of packed and of decoded weights and of results lie side by side (one of each without overlap).
 * @param capacityBytes of TCM
 * @throws UsageError when not even one tile fits
 */
export function productBlocks(
  shape: { owner: string; rows: number; inWidth: number; outWidth: number; bytesPerWeight: number },
  overlaps: boolean,
  capacityBytes: number,
): ProductBlocks {
  const { owner, rows, inWidth, outWidth, bytesPerWeight } = shape;
  const depth = roundUp(inWidth, TILE);
  const copies = overlaps ? 2 : 1;
  const perColumn = copies * depth * (bytesPerWeight + F16);
  const perRow = depth * F16;
  const perBoth = copies * F16;
  const fetching = FETCH.threads * FETCH.rows * depth * F32;
  const usable = capacityBytes - fetching - 256;
  let best: (ProductBlocks & { readonly cost: number }) | null = null;
  for (let columns = roundUp(outWidth, TILE); columns >= TILE; columns -= TILE) {
    const fit = Math.floor((usable - columns * perColumn) / (perRow + columns * perBoth) / TILE) * TILE;
    if (fit < TILE) continue;
    const together = Math.min(fit, roundUp(rows, TILE));
    const cost =
      Math.ceil(rows / together) * outWidth * AGAIN.weights +
      Math.ceil(outWidth / columns) * rows * AGAIN.activations;
    const better =
      best === null ||
      cost < best.cost ||
      (cost === best.cost && together * columns > best.rows * best.columns);
    if (!better) continue;
    const tcmBytes = fetching + 256 + columns * perColumn + together * (perRow + columns * perBoth);
    best = { rows: together, columns, tcmBytes, cost };
  }
  if (best === null) {
    throw new UsageError(
      `${owner}: one column tile of depth ${depth} does not fit ${capacityBytes} B of on-chip memory`,
    );
  }
  return best;
}
