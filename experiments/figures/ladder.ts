import { formatFactor, trusted } from '../studies/ladder/format.js';
import type { AblationSummary } from '../studies/ladder/types.js';
import { type DotRow, dotRows } from './dot-rows.js';
import type { Figure } from './page.js';
import { HOUSE_STYLE } from './style.js';
import { modelWords, quantWords } from './words.js';

/**
 * The ladder: one row per technique, seconds with their interval, the paper's value on the same row, speed-ups over
 * CPU + prefix KV as text.
 */
export function ladderFigure(summary: AblationSummary): Figure {
  const { costModel } = summary;
  return (page) => ({
    ...HOUSE_STYLE,
    ...dotRows(
      {
        title: `Time of one answer by technique: ${modelWords(costModel.name)} ${quantWords(costModel.quant)}`,
        axis: 'seconds for one answer',
        rows: summary.rows.map(
          (row): DotRow => ({
            name: row.name,
            ours: row.latency_s.median,
            low: row.latency_s.low,
            high: row.latency_s.high,
            paper: row.paper_s,
            texts: [trusted(row) ? times(row.speedup.vsCpuKv) : 'failed', times(row.paper_speedup?.vsCpuKv)],
          }),
        ),
        heads: ['speed-up here', 'paper'],
        ours: 'simulated: median, 95 % interval',
        paper: 'paper, Table 6',
      },
      page,
      page.plot,
    ),
  });
}

function times(factor: number | null | undefined): string {
  const text = formatFactor(factor);
  return text === '-' ? text : `${text}\u00d7`;
}
