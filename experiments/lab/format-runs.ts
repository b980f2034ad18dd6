import { formatCsv } from '../../src/util/csv.js';
import { formatParquet } from './parquet.js';
import type { RunRecord } from './record.js';
import { runTable } from './table.js';

export const RUN_FORMATS = ['csv', 'parquet', 'jsonl'] as const;
export type RunFormat = (typeof RUN_FORMATS)[number];

/** Runs as one table, a column per option and metric, or as one JSON object a line. */
export function formatRuns(format: RunFormat, records: readonly RunRecord[]): string | Uint8Array {
  switch (format) {
    case 'jsonl':
      return records.map((record) => `${JSON.stringify(record)}\n`).join('');
    case 'parquet':
      return formatParquet(runTable(records));
    case 'csv': {
      const { columns, rows } = runTable(records);
      return formatCsv([columns, ...rows]);
    }
  }
}
