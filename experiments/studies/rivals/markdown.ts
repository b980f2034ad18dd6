import { CheckError } from '../../../src/errors.js';
import type { ReproduceResult } from '../../comparison/result.js';
import { BASELINE } from './methods.js';

type Cells = NonNullable<ReproduceResult['table']>[number];

/** The rivals of a result in Markdown, for pages: does MBSD pay in one sentence, then the table. @throws CheckError without a table */
export function rivalsMarkdown({ name, table, command }: ReproduceResult): string {
  if (table === undefined) throw new CheckError(`${name}: the result has no table`);
  const ran = table.filter(({ runs }) => runs === true);
  const stacks = [...new Set(ran.map(({ stack }) => stack))];
  const head = [
    'stack',
    'method',
    'forwards',
    'tiles',
    'seconds',
    'gain',
    'joules',
    'exact %',
    'points',
    'p (Holm)',
  ];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `Does MBSD still pay? ${stacks.map((stack) => verdict(String(stack), ran)).join('; ')}.`,
    '',
    line(head),
    line(head.map((_, at) => (at < 2 ? '---' : '--:'))),
    ...ran.map((row) => line(cellsOf(row))),
    '',
    `Means over ${ran[0]?.cases} held-out problems with 95 % intervals; points: paired difference of exact answers to "${BASELINE}"; p: exact McNemar, Holm-corrected. Not run: ${unrun(table)}. Made by \`npx ${command}\`.`,
  ].join('\n');
}

/** What MBSD gains on a stack, and the rival that gains most. */
function verdict(stack: string, ran: readonly Cells[]): string {
  const here = ran.filter((row) => row.stack === stack);
  const mbsd = here.find(({ method }) => method === 'MBSD');
  const best = here.reduce((most, row) => (number(row.gain) > number(most.gain) ? row : most));
  if (mbsd === undefined) throw new CheckError(`rivals: no MBSD under ${stack}`);
  const [low, high] = [number(mbsd.gain_low), number(mbsd.gain_high)];
  const pays = low > 1 ? 'yes' : high < 1 ? 'no' : 'it cannot be told';
  return `under ${stack} ${pays}, ${ratio(mbsd)} with ${points(mbsd)} points of exact answers, against ${ratio(best)} and ${points(best)} of ${best.method}`;
}

function cellsOf(row: Cells): string[] {
  const own = row.method === BASELINE;
  const p = number(row.p_holm);
  return [
    ...[String(row.stack), String(row.method)],
    ...[number(row.forwards).toFixed(1), number(row.tiles).toFixed(1)],
    range(row, 'seconds'),
    own ? 'baseline' : `${range(row, 'gain')}x`,
    number(row.joules).toPrecision(3),
    (100 * number(row.exact)).toFixed(1),
    own ? '' : points(row),
    own ? '' : p < 0.001 ? '< 0.001' : p.toFixed(3),
  ];
}

const number = (cell: Cells[string] | undefined): number => (typeof cell === 'number' ? cell : Number.NaN);
const ratio = (row: Cells): string => `${number(row.gain).toPrecision(3)}x`;

const range = (row: Cells, of: string): string =>
  `${number(row[of]).toPrecision(3)} [${number(row[`${of}_low`]).toPrecision(3)}, ${number(row[`${of}_high`]).toPrecision(3)}]`;

const signed = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`;

const points = (row: Cells): string =>
  `${signed(number(row.difference))} [${signed(number(row.difference_low))}, ${signed(number(row.difference_high))}]`;

function unrun(table: readonly Cells[]): string {
  const why = new Map(
    table.flatMap(({ runs, method, why }) => (runs === true ? [] : [[method, why] as const])),
  );
  return [...why].map(([method, reason]) => `${method} (${reason})`).join(', ') || 'none';
}
