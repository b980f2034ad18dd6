import { createColors } from 'picocolors';
import { formatTable, wrapText } from '../../src/util/table.js';
import type { ReproducedRow, ReproduceResult } from './result.js';

const WIDTH = 110;

/** A comparison for a terminal: complete without colour, red where a band was missed. */
export function printResult(result: ReproduceResult, color: boolean): string {
  const c = createColors(color);
  const { paper, costs, assumed } = result;
  const where =
    paper === null
      ? 'has no such table or figure'
      : `${paper.source}, ${paper.where}${paper.digitised ? ' (read off the plot)' : ''}`;
  const verdict = (row: ReproducedRow): string =>
    row.pass === null ? '' : row.pass ? c.green('yes') : c.red('NO');
  const table = formatTable(
    [
      { header: ['row'], align: 'left' },
      { header: ['unit'], align: 'left' },
      { header: ['here'], align: 'right' },
      { header: ['paper'], align: 'right' },
      { header: ['error'], align: 'right' },
      { header: ['kind'], align: 'left' },
      { header: ['band'], align: 'left' },
      { header: ['met'], align: 'left' },
    ],
    result.rows.map((row) => [
      row.name,
      row.unit,
      formatValue(row.ours),
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
    table,
    '',
    ...lines.map((line) => wrapText(line, WIDTH, '  ')),
  ].join('\n');
}

/** One line per experiment: how many rows, which bands were met, how far predictions are off. */
export function printOverview(results: readonly ReproduceResult[], color: boolean): string {
  const c = createColors(color);
  return formatTable(
    [
      { header: ['name'], align: 'left' },
      { header: ['rows'], align: 'right' },
      { header: ['bands', 'met'], align: 'right' },
      { header: ['bands', 'missed'], align: 'right' },
      { header: ['predicted:', 'median error'], align: 'right' },
      { header: ['largest'], align: 'right' },
      { header: ['decisions'], align: 'left' },
    ],
    results.map(({ name, rows, decisions }) => {
      const errors = rows
        .filter(({ kind, error }) => kind === 'predicted' && error !== null)
        .map(({ error }) => Math.abs(error ?? 0))
        .sort((a, b) => a - b);
      const missedBands = rows.filter(({ pass }) => pass === false).length;
      return [
        name,
        String(rows.length),
        String(rows.filter(({ pass }) => pass === true).length),
        missedBands === 0 ? '0' : c.red(String(missedBands)),
        errors.length === 0 ? '-' : percent(errors[Math.floor((errors.length - 1) / 2)] ?? 0),
        errors.length === 0 ? '-' : percent(errors.at(-1) ?? 0),
        decisions.split(/[ ;:]/)[0] ?? '',
      ];
    }),
    { maxWidth: WIDTH, styleHeader: c.bold },
  );
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`;
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
