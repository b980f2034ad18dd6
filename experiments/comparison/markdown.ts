import type { RowKind } from './compare.js';
import { formatEnds, formatError, formatValue } from './print.js';
import type { ReproducedRow, ReproduceResult } from './result.js';
import { tally } from './tally.js';

const KIND_ORDER = ['predicted', 'calibrated', 'ordering'] as const;

/** Every row that has a published number, one table per study, for a README or a paper's appendix. */
export function resultsMarkdown(results: readonly ReproduceResult[]): string {
  const compared = results.filter(({ rows }) => rows.some(({ paper }) => paper !== null));
  return [
    'Kinds: *predicted* must come out; *calibrated* was fitted to, or settled with, the figure in view and proves nothing; *ordering* promises an order only. Red bands stay red.',
    '',
    overview(compared),
    ...compared.flatMap((result) => ['', section(result)]),
  ].join('\n');
}

function overview(results: readonly ReproduceResult[]): string {
  const rows = results.flatMap((result) => result.rows);
  const line = (kind: RowKind): string => {
    const own = rows.filter((row) => row.kind === kind && row.paper !== null);
    const { met, missed, medianError } = tally(own);
    const median = medianError === null ? '-' : `${(100 * medianError).toFixed(0)} %`;
    return `| ${kind} | ${own.length} | ${median} | ${met} | ${missed} |`;
  };
  return [
    '| kind | rows | median error | bands met | bands missed |',
    '|---|---:|---:|---:|---:|',
    ...KIND_ORDER.map(line),
  ].join('\n');
}

function section({ name, title, decisions, rows, paper }: ReproduceResult): string {
  const where = paper === null ? 'other papers' : paper.where;
  return [
    `**${name}**: ${title} (${where}). Decisions: ${decisions}.`,
    '',
    '| name | unit | ours | 95 % over cases | 80 % over machines | paper | error | kind | band |',
    '|---|---|---:|---|---|---:|---:|---|---|',
    ...rows.filter((row) => row.paper !== null || row.pass !== null).map(rowLine),
  ].join('\n');
}

function rowLine(row: ReproducedRow): string {
  const { name, unit, ours, paper, error, kind, claim, band, pass } = row;
  const verdict = pass === null ? '' : `${claim}: ${band}: ${pass ? 'met' : '**missed**'}`;
  const cells = [
    ...[name, unit, formatValue(ours)],
    ...[formatEnds(row.low, row.high), formatEnds(row.machineLow, row.machineHigh)],
    ...[formatValue(paper), formatError(error), kind, verdict],
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
