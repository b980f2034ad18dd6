import { CheckError } from '../../../src/errors.js';
import { formatValue } from '../../comparison/print.js';
import type { ReproduceResult } from '../../comparison/result.js';

/** One mechanism of each shape, by its name, and the head of its column. */
const SHAPES = [
  ['synchronous copies', 'by the byte'],
  ['map and unmap, by the matrix', 'by the matrix'],
  ['slots of 256 MiB, filled whole', 'by the slot'],
  ['buffers of 1 GiB, mapped anew', 'buffers mapped anew'],
  ['whole buffers, the rest faulted in', 'in whole buffers'],
] as const;

/** The shapes over the budgets beside the paper's, and what excludes each mechanism, in Markdown. @throws CheckError for a result of another study */
export function stagingMarkdown({ name, measured, table, command }: ReproduceResult): string {
  const column = (of: string): readonly (number | string | null)[] => {
    const found = measured[of];
    if (found === undefined) throw new CheckError(`${name}: the result has no ${of}`);
    return found;
  };
  const [budgets, published, mechanisms, fitted] = [
    'resident_mib',
    'published_ms',
    'mechanism',
    'fitted_ms',
  ].map(column);
  if (table === undefined) throw new CheckError(`${name}: the result has no table`);
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const head = (cells: readonly string[]): string[] => [
    line(cells),
    line(cells.map((_, at) => (at === 0 ? '---' : '--:'))),
  ];
  const at = (shape: string): number => mechanisms.indexOf(shape) * budgets.length;
  const whole = (value: number | string | null | boolean): string => Number(value).toFixed(0);
  return [
    ...head(['resident MiB', 'paper, ms', ...SHAPES.map(([, title]) => title)]),
    ...budgets.map((mib, i) =>
      line([`${mib}`, whole(published[i]), ...SHAPES.map(([shape]) => whole(fitted[at(shape) + i]))]),
    ),
    line([
      'left over, ms rms',
      '',
      ...SHAPES.map(([shape]) =>
        whole(table.find(({ mechanism }) => mechanism === shape)?.left_over_ms ?? null),
      ),
    ]),
    '',
    ...head([
      'mechanism',
      'behind the best shape, nats',
      'would have to cost, us/MiB',
      'can cost',
      'excluded by',
    ]),
    ...table.map((row) =>
      line([
        `${row.mechanism}`,
        Number(row.behind_nats).toFixed(1),
        whole(row.needs_us_per_mib),
        row.low === null ? 'unknown' : `${formatValue(Number(row.low))} to ${formatValue(Number(row.high))}`,
        `${row.excluded_by}`,
      ]),
    ),
    '',
    `Each shape has one scale, fitted. Over 6.9 nats (a thousand times less likely) a shape is excluded. Made by \`npx ${command}\`.`,
  ].join('\n');
}
