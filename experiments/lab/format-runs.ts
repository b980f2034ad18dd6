import { formatCsv } from '../../src/util/csv.js';
import { unknownName } from '../../src/util/nearest.js';
import { formatParquet } from './parquet.js';
import type { RunRecord } from './record.js';
import { type RunTable, runTable } from './table.js';

export const RUN_FORMATS = ['csv', 'parquet', 'jsonl'] as const;
export type RunFormat = (typeof RUN_FORMATS)[number];

/**
 * Runs as one table, a column per option and metric, or as one JSON object a line.
 * @param wanted columns of the table, in order; none: all
 * @throws UsageError for a column that no run has, with the nearest ones
 */
export function formatRuns(
  format: RunFormat,
  records: readonly RunRecord[],
  wanted: readonly string[] = [],
): string | Uint8Array {
  switch (format) {
    case 'jsonl':
      return records.map((record) => `${JSON.stringify(record)}\n`).join('');
    case 'parquet':
      return formatParquet(selected(runTable(records), wanted));
    case 'csv': {
      const { columns, rows } = selected(runTable(records), wanted);
      return formatCsv([columns, ...rows]);
    }
  }
}

function selected({ columns, rows }: RunTable, wanted: readonly string[]): RunTable {
  if (wanted.length === 0) return { columns, rows };
  const at = wanted.map((name) => {
    const found = columns.indexOf(name);
    if (found < 0) throw unknownName('column', name, columns);
    return found;
  });
  return { columns: wanted, rows: rows.map((row) => at.map((column) => row[column])) };
}
