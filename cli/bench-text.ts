import type { OperatorTime } from '../src/engine/engine.js';
import { median } from '../src/score/statistics/samples.js';
import { formatCsv } from '../src/util/csv.js';

/** One measured pass. */
export interface BenchRow {
  /** As it was named. */
  readonly model: string;
  readonly engine: string;
  readonly device: string;
  readonly threads: number;
  readonly rows: number;
  readonly context: number;
  readonly logitsRows: number;
  /** Mean, and sample standard deviation. */
  readonly ms: number;
  readonly sd: number;
  readonly tokensPerS: number;
  readonly gflops: number;
  readonly operators?: readonly OperatorTime[];
}

export const BENCH_FORMATS = ['markdown', 'csv'] as const;

const COLUMNS = {
  model: 'model',
  engine: 'engine',
  device: 'device',
  threads: 'threads',
  rows: 'rows',
  context: 'context',
  logitsRows: 'with logits',
} as const;

/** The table for a README, or for a program. */
export function benchText(rows: readonly BenchRow[], format: (typeof BENCH_FORMATS)[number]): string {
  if (format === 'csv') {
    const keys = Object.keys(rows[0] ?? {}).filter((key) => key !== 'operators') as Exclude<
      keyof BenchRow,
      'operators'
    >[];
    return formatCsv([keys, ...rows.map((row) => keys.map((key) => row[key]))]).trimEnd();
  }
  const names = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
  const header = [...Object.values(COLUMNS), 'ms', 'tokens/s', 'GFLOP/s'];
  const cells = rows.map((row) => [
    ...names.map((name) => String(row[name])),
    `${digits(row.ms)} ± ${digits(row.sd)}`,
    digits(row.tokensPerS),
    digits(row.gflops),
  ]);
  const rule = header.map((_, column) => (column < 3 ? '---' : '---:'));
  return [header, rule, ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** Where the time of each pass goes: median ms of the operators of a name, and their share of the sum. */
export function operatorText(rows: readonly BenchRow[]): string {
  const tables = rows.map(({ model, rows: count, context, ms, operators = [] }) => {
    const times = operators
      .map(({ operator, count: of, samplesMs }) => ({ operator, of, ms: median(samplesMs) }))
      .sort((a, b) => b.ms - a.ms);
    const sum = times.reduce((total, time) => total + time.ms, 0);
    const lines = times.map(
      (time) =>
        `| ${time.operator} | ${time.of} | ${time.ms.toFixed(3)} | ${((100 * time.ms) / sum).toFixed(1)} |`,
    );
    return [
      `\n${model}, ${count} rows after ${context}: ${digits(sum)} ms one by one, ${digits(ms)} ms together`,
      '| operator | count | ms | % |',
      '|---|---:|---:|---:|',
      ...lines,
    ].join('\n');
  });
  return tables.join('\n');
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
