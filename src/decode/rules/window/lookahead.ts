import { z } from 'zod';
import { maskedInBlock, totalLength } from '../../canvas/geometry.js';
import type { Canvas } from '../../canvas/types.js';
import type { Choices, RuleInputs } from '../definition.js';
import type { PolicyFacts } from '../facts.js';
import type { LatencyTable } from '../rule.js';

/** Rows appended to the window when few masks are left; an option of the windows that move block by block. */
export const lookaheadSchema = z.strictObject({
  trigger: z
    .int()
    .min(0)
    .default(4)
    .describe('masks left in the block that switch lookahead on; 4 is the operating point of §5.5'),
  inclusive: z
    .boolean()
    .default(true)
    .describe(
      'fire at masks <= trigger instead of <; §5.5 speaks of triggering at four remaining, §3.2 of dropping below',
    ),
  allowanceRatio: z
    .number()
    .min(0)
    .default(1)
    .describe(
      'extra pass time allowed, relative to the pass without lookahead; with 32-row blocks on 32-row tiles 0 would make the trigger a no-op, against Fig. 13a',
    ),
  maxRows: z
    .int()
    .min(0)
    .default(32)
    .describe('most rows appended; one tile, the smallest useful amount (the paper gives no limit)'),
  memoryBudgetMib: z
    .number()
    .min(0)
    .nullable()
    .default(null)
    .describe(
      'memory the appended rows may take, MiB; null: no limit, since draft rows are few beside the weights (the paper has a budget but no figure)',
    ),
  buckets: z
    .enum(['step', 'smooth'])
    .default('step')
    .describe(
      'pass time between multiples of 32 rows: step, as Fig. 3a shows for one operator, or on straight lines; only multiples were measured',
    ),
});

type LookaheadSpec = z.output<typeof lookaheadSchema>;

export const lookaheadDraws: Choices<LookaheadSpec | undefined> = {
  maybe: {
    trigger: [0, 1, 2, 3, 4, 8],
    inclusive: [true, false],
    allowanceRatio: [0, 0.5, 2],
    maxRows: [0, 1, 3, 12],
    memoryBudgetMib: [null, 0, 1, 3],
    buckets: ['step', 'smooth'],
  },
};

/** What any window with lookahead refuses. */
export function lookaheadContradicts({ window, speculate }: PolicyFacts): string[] {
  return window.lookahead && !speculate.futureRows
    ? ['window.lookahead computes future rows for drafts, so speculate must be drafts']
    : [];
}

/**
 * One step per 32-row tile: 143.1 + 348.9 * tiles ms, the fit (residual under 3 %) through the three NPU step
 * times of arXiv:2606.13740 Table 2 (478.1, 861.6, 1531.6 ms at 32, 64, 128 rows on SM8750).
 */
export const TILE_LATENCY: LatencyTable = (rows) => 143.1 + 348.9 * Math.ceil(rows / 32);

/** FP16 K and V of one row of LLaDA-8B (32 layers, 4096 wide): what a draft row holds while its pass runs. */
export const ROW_BYTES = 32 * 2 * 4096 * 2;

/** What holds where nothing else is known. */
export const DEFAULT_INPUTS: RuleInputs = { latencyTable: TILE_LATENCY, rowBytes: ROW_BYTES };

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
  spec: LookaheadSpec | undefined,
  { latencyTable, rowBytes }: RuleInputs,
): (canvas: Canvas) => number[] {
  if (spec === undefined) return () => [];
  const table = bucketed(latencyTable, spec.buckets);
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
