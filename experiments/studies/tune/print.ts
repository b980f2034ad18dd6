import { createColors } from 'picocolors';
import { formatCsv } from '../../../src/util/csv.js';
import { formatTable, wrapText } from '../../../src/util/table.js';
import type { Figure } from '../../figures/page.js';
import { pareto } from '../../figures/pareto.js';
import type { Judged } from './judge.js';
import type { TuneResult } from './run.js';

const percent = (share: number): string => (100 * share).toFixed(1);
const points = (share: number): string => `${share >= 0 ? '+' : ''}${percent(share)}`;

const ranged = (value: number, [low, high]: readonly [number, number], digits: number): string =>
  low === high
    ? value.toFixed(digits)
    : `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

/** The confirmed policies, fastest first, and what they say about the paper's system. */
export function printTune(result: TuneResult, color: boolean): string {
  const c = createColors(color);
  const rows = [...result.confirmed].sort((a, b) => a.seconds - b.seconds);
  const table = formatTable(
    [
      { header: ['policy'], align: 'left' },
      { header: ['s'], align: 'right' },
      { header: ['J'], align: 'right' },
      { header: ['forwards'], align: 'right' },
      { header: ['exact, %'], align: 'right' },
      { header: ['difference,', 'points'], align: 'right' },
      { header: ['non-', 'inferior'], align: 'left' },
      { header: ['front'], align: 'left' },
    ],
    rows.map((row) => [
      row.policy,
      ranged(row.seconds, row.secondsRange, 2),
      ranged(row.joules, row.joulesRange, 1),
      row.forwards.toFixed(1),
      percent(row.exact.share),
      `${points(row.difference.value)} [${points(row.difference.low)}, ${points(row.difference.high)}]`,
      row.nonInferior ? c.green('yes') : c.red('NO'),
      row.onFront ? 'yes' : '',
    ]),
    { maxWidth: 130, styleHeader: c.bold },
  );
  const lines = [result.verdict, `Decisions: ${result.decisions}.`, ...result.notes];
  return [
    c.bold(`Search over ${result.screened.length} policies, ${result.confirmed.length} confirmed`),
    '',
    table,
    '',
    ...lines.map((line) => wrapText(line, 110, '  ')),
  ].join('\n');
}

/** Both stages as CSV. */
export function tuneCsv({ screened, confirmed }: TuneResult): string {
  const cells = (stage: string) => (row: Judged) => [
    stage,
    row.policy,
    row.problems,
    row.seconds,
    ...row.secondsRange,
    row.joules,
    ...row.joulesRange,
    row.forwards,
    row.exact.share,
    row.difference.value,
    row.difference.low,
    row.difference.high,
    row.nonInferior,
    row.onFront,
  ];
  return formatCsv([
    [
      'stage',
      'policy',
      'problems',
      'seconds',
      'seconds_low',
      'seconds_high',
      'joules',
      'joules_low',
      'joules_high',
      'forwards',
      'exact',
      'difference',
      'difference_low',
      'difference_high',
      'non_inferior',
      'on_front',
    ],
    ...screened.map(cells('screen')),
    ...confirmed.map(cells('confirm')),
  ]);
}

/** Latency against quality of what was confirmed, with the intervals of the screening's survivors. */
export function tuneFigure({ confirmed }: TuneResult): Figure {
  const problems = confirmed[0]?.problems ?? 0;
  return pareto(
    confirmed.map(({ policy, seconds, exact }) => ({
      name: policy,
      x: seconds,
      y: exact.share,
      low: exact.low,
      high: exact.high,
    })),
    {
      title: `Speed against quality, confirmed on ${problems} problems`,
      x: { title: 'simulated seconds per answer', log: true },
      y: { title: 'exact answers', percent: true },
    },
  );
}
