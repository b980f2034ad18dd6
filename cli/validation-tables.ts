import type { AblatedPart, Ablation } from '../sim/validation/ablation.js';
import type { RowExplanation } from '../sim/validation/explain-row.js';
import type { GroupScore, SeriesSpread } from '../sim/validation/groups.js';
import type { ScoredRow } from '../sim/validation/score.js';
import { table } from '../src/util/table.js';

type Style = { readonly styleHeader: (text: string) => string };

export function rowsTable(rows: readonly ScoredRow[], style: Style): string {
  return table(
    [
      'row',
      '> predicted',
      '80 % interval',
      '> published',
      'unit',
      '> error',
      '> |ln|',
      'in',
      'timed as, or why not',
    ],
    rows.map(({ id, predicted, low, high, published, unit, error, logError, inside, bound, as, reason }) => [
      id,
      predicted === null ? '' : significant(predicted),
      low === null || high === null ? '' : `${significant(low)} to ${significant(high)}`,
      `${bound ? 'bound ' : ''}${published}`,
      unit,
      signed(error),
      logError === null ? '' : logError.toFixed(2),
      inside === null ? '' : inside ? 'yes' : 'no',
      as ?? reason ?? '',
    ]),
    style,
  );
}

export function groupsTable(groups: readonly GroupScore[], style: Style): string {
  return table(
    [
      'by',
      'group',
      '> rows',
      '> modelled',
      '> bounds',
      '> median |error|',
      '> median |ln|',
      '> coverage',
      '> high / low',
      'worst',
    ],
    groups.map(({ by, group, rows, modelled, bounds, median, medianLog, coverage, width, worst }) => [
      by ?? '',
      group,
      String(rows),
      String(modelled),
      String(bounds),
      percent(median),
      medianLog === null ? '' : medianLog.toFixed(2),
      percent(coverage),
      width === null ? '' : width.toFixed(1),
      worst === null ? '' : `${worst.id} ${signed(worst.error)}`,
    ]),
    style,
  );
}

export function seriesTable(series: readonly SeriesSpread[], style: Style): string {
  return table(
    ['series', 'over', '> rows', '> largest / smallest predicted over published'],
    series.map(({ series: name, over, ids, spread }) => [name, over, String(ids.length), spread.toFixed(2)]),
    style,
  );
}

export function ablationTable(ablations: readonly Ablation[], style: Style): string {
  const line = (
    id: string | null,
    name: string,
    { publishedMs, predictedMs, offMs }: Ablation | AblatedPart,
    last: readonly string[],
  ): string[] => [
    id ?? '',
    name,
    publishedMs.toFixed(3),
    predictedMs.toFixed(3),
    `${offMs < 0 ? '' : '+'}${offMs.toFixed(3)}`,
    ...last,
  ];
  return table(
    ['row', 'part', '> published ms', '> predicted ms', '> off ms', '> share of what is off', '> cancels'],
    ablations.flatMap((whole) => [
      line(whole.id, whole.name, whole, ['', percent(whole.cancelled)]),
      ...whole.parts.map((part) =>
        line(part.id, `  ${part.name}${part.times === 1 ? '' : ` x ${part.times}`}`, part, [
          percent(part.share),
          '',
        ]),
      ),
    ]),
    style,
  );
}

export function explanation(found: RowExplanation, style: Style): string {
  const { id, published, predicted, unit, interval, timed, notes, form, parts, numbers } = found;
  return [
    `${id}: ${significant(predicted)} ${unit} predicted, ${significant(interval.low)} to ${significant(interval.high)} in the 80 % interval; ${published} published`,
    `timed: ${[timed.profiles.join(' or '), timed.stacks.join(' or '), timed.model ?? '', timed.quant].filter((word) => word !== '').join(', ')}; ${JSON.stringify(timed.work)}`,
    ...notes.map((note) => `taken: ${note}`),
    `form: a factor of exp(+-${form.deviation.toFixed(2)}), assumed (${form.because.join(', ')})`,
    '',
    table(
      ['part', '> ms'],
      parts.map(({ name, ms }) => [name, ms.toFixed(3)]),
      style,
    ),
    '',
    table(
      ['number', 'kind', '> at its low end', '> at its high end', '> swing %'],
      numbers.map(({ name, kind, atLow, atHigh, swing }) => [
        name,
        kind,
        significant(atLow),
        significant(atHigh),
        (swing * 100).toFixed(0),
      ]),
      style,
    ),
  ].join('\n');
}

function significant(value: number): string {
  return value >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function percent(share: number | null): string {
  return share === null ? '' : `${(share * 100).toFixed(0)} %`;
}

function signed(error: number | null): string {
  return error === null ? '' : `${error < 0 ? '-' : '+'}${(Math.abs(error) * 100).toFixed(0)} %`;
}
