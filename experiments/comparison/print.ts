import { createColors } from 'picocolors';
import { table, wrapText } from '../../src/util/table.js';
import type { ReproducedRow, ReproduceResult } from './result.js';
import { tally } from './tally.js';

const WIDTH = 110;

/** Studies that are called after what they stand beside. */
const IN_PAPER = /^(fig|table)\d/;

/** A comparison for a terminal: complete without colour, red where a band was missed. */
export function printResult(result: ReproduceResult, color: boolean): string {
  const c = createColors(color);
  const { paper, costs, assumed } = result;
  const where =
    paper === null
      ? IN_PAPER.test(result.name)
        ? 'its numbers of this table or figure are not in this project'
        : 'has no such table or figure'
      : `${paper.source}, ${paper.where}${paper.digitised ? ' (read off the plot)' : ''}`;
  const verdict = (row: ReproducedRow): string =>
    row.pass === null ? '' : row.pass ? c.green('yes') : c.red('NO');
  const intervals = INTERVALS.filter(({ of }) => result.rows.some((row) => of(row) !== ''));
  const compared = (): string =>
    table(
      [
        'row',
        'unit',
        '> here',
        ...intervals.map(({ head }) => head),
        '> paper',
        '> error',
        'kind',
        'band',
        'met',
      ],
      result.rows.map((row) => [
        row.name,
        row.unit,
        formatValue(row.ours),
        ...intervals.map(({ of }) => of(row)),
        formatValue(row.paper),
        formatError(row.error),
        row.kind,
        row.claim === null ? '' : `${row.claim}: ${row.band}`,
        verdict(row),
      ]),
      { maxWidth: WIDTH, styleHeader: c.bold },
    );
  const kinds = new Map<string, number>();
  for (const { kind } of assumed) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const lines = [
    `Paper: ${where}. Costs: ${costs.model} ${costs.quant}, simulated on ${costs.profile}. Decisions: ${result.decisions}.`,
    `Runs: ${result.runs}.`,
    ...missed(result.rows),
    ...result.notes,
    assumed.length === 0
      ? 'No number of the machine is fitted or assumed.'
      : `Not measured: ${[...kinds].map(([kind, n]) => `${n} ${kind}`).join(', ')}: ${assumed
          .map(({ name, value }) => `${name} ${value}`)
          .join(', ')}.`,
  ];
  return [
    c.bold(`${result.name}: ${result.title}`),
    '',
    hasIntervals(result.table) ? fieldsTable(result.table, c.bold) : compared(),
    '',
    ...lines.map((line) => wrapText(line, WIDTH, '  ')),
  ].join('\n');
}

/** Columns that are shown where a row has such an interval. */
const INTERVALS: readonly { readonly head: string; of(row: ReproducedRow): string }[] = [
  { head: '95 % over\ncases', of: ({ low, high }) => formatEnds(low, high) },
  { head: '80 % over\nmachines', of: ({ machineLow, machineHigh }) => formatEnds(machineLow, machineHigh) },
];

/** `[4.1, 4.8]`; nothing without an interval. */
export function formatEnds(low: number | null, high: number | null): string {
  return low === null || high === null ? '' : `[${formatValue(low)}, ${formatValue(high)}]`;
}

/** A study's own table with intervals is shown in place of its comparison. */
function hasIntervals(rows: ReproduceResult['table']): rows is NonNullable<ReproduceResult['table']> {
  return rows?.[0] !== undefined && 'low' in rows[0] && 'high' in rows[0];
}

/** A table as `--json` has it: a column for each field. */
function fieldsTable(
  rows: NonNullable<ReproduceResult['table']>,
  styleHeader: (text: string) => string,
): string {
  const fields = Object.keys(rows[0] ?? {});
  const isNumber = (field: string): boolean => rows.some((row) => typeof row[field] === 'number');
  return table(
    fields.map((field) => `${isNumber(field) ? '> ' : ''}${field}`),
    rows.map((row) =>
      fields.map((field) => {
        const value = row[field];
        return typeof value === 'number' || value === null ? formatValue(value) : String(value);
      }),
    ),
    { maxWidth: WIDTH, styleHeader },
  );
}

/** One line per study: how many rows, which bands were met, how far predictions are off. */
export function printOverview(results: readonly ReproduceResult[], color: boolean): string {
  const c = createColors(color);
  const percent = (error: number | null): string => (error === null ? '-' : `${(error * 100).toFixed(1)} %`);
  return table(
    [
      'name',
      '> rows',
      '> bands\nmet',
      '> bands\nmissed',
      '> predicted:\nmedian error',
      '> largest',
      'decisions',
    ],
    results.map(({ name, rows, decisions }) => {
      const { met, missed } = tally(rows);
      const predicted = tally(rows.filter(({ kind }) => kind === 'predicted'));
      return [
        name,
        String(rows.length),
        String(met),
        missed === 0 ? '0' : c.red(String(missed)),
        percent(predicted.medianError),
        percent(predicted.largestError),
        decisions.split(/[ ;:]/)[0],
      ];
    }),
    { maxWidth: WIDTH, styleHeader: c.bold },
  );
}

/** Each reason once, with the rows it explains. */
function missed(rows: readonly ReproducedRow[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of rows) {
    if (reason !== null) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }
  return [...byReason].map(([reason, names]) => `Missed (${names.join('; ')}): ${reason}.`);
}

export function formatValue(value: number | null): string {
  if (value === null) return '-';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** Percent with its sign; `-` where no value is predicted. */
export function formatError(error: number | null): string {
  if (error === null) return '-';
  const percent = (error * 100).toFixed(Math.abs(error) < 0.1 ? 1 : 0);
  return `${error >= 0 ? '+' : ''}${percent} %`;
}
