import { maskedInBlock, totalLength } from '../canvas/geometry.js';
import type { Canvas } from '../canvas/types.js';
import type { LookaheadSpec } from '../spec.js';

/** Offline profile of one denoising pass: rows -> milliseconds. Must not decrease. */
export type LatencyTable = (rows: number) => number;

/**
 * One step per 32-row tile: 143.1 + 348.9 * tiles ms, the fit (residual under 3 %) through the three NPU step
 * times of arXiv:2606.13740 Table 2 (478.1, 861.6, 1531.6 ms at 32, 64, 128 rows on SM8750).
 */
export const TILE_LATENCY: LatencyTable = (rows) => 143.1 + 348.9 * Math.ceil(rows / 32);

/** FP16 K and V of one row of LLaDA-8B (32 layers, 4096 wide): what a draft row holds while its pass runs. */
export const ROW_BYTES = 32 * 2 * 4096 * 2;

/** Rows of a tile of the matrix unit (arXiv:2606.13740 §2.2). */
const TILE_ROWS = 32;

/** The table between multiples of a tile: as it is, or on straight lines (only multiples were measured). */
function bucketed(table: LatencyTable, buckets: LookaheadSpec['buckets']): LatencyTable {
  if (buckets === 'step') return table;
  return (rows) => {
    const below = Math.max(1, Math.floor(rows / TILE_ROWS)) * TILE_ROWS;
    if (rows <= below) return table(rows);
    const share = (rows - below) / TILE_ROWS;
    return table(below) + share * (table(below + TILE_ROWS) - table(below));
  };
}

/**
 * Adaptive lookahead (arXiv:2606.13740 §3.2): when few masks are left in the block, append future positions one
 * by one while the pass stays within the allowed extra time and memory. More than one future block is allowed.
 */
export function lookaheadRule(
  spec: LookaheadSpec,
  latency: LatencyTable,
  rowBytes: number,
): (canvas: Canvas) => number[] {
  const table = bucketed(latency, spec.buckets);
  const budget = spec.memoryBudgetMib === null ? Infinity : spec.memoryBudgetMib * 2 ** 20;
  return (canvas) => {
    const masked = maskedInBlock(canvas).length;
    const fires = spec.inclusive ? masked <= spec.trigger : masked < spec.trigger;
    if (masked === 0 || !fires) return [];
    const rows = canvas.window.end - canvas.window.start;
    const base = table(rows);
    const added: number[] = [];
    for (
      let position = canvas.window.end;
      position < totalLength(canvas) && added.length < spec.maxRows;
      position++
    ) {
      const extraMs = table(rows + added.length + 1) - base;
      if ((added.length + 1) * rowBytes > budget) break;
      if (extraMs > spec.allowanceRatio * base) break;
      added.push(position);
    }
    return added;
  };
}
