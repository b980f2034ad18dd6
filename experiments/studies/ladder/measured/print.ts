import { createColors } from 'picocolors';
import { type Column, formatTable, wrapText } from '../../../../src/util/table.js';
import { formatCount } from '../format.js';
import type { MeasuredLadder, MeasuredRow } from './types.js';

const WIDTH = 120;

const COLUMNS: readonly Column[] = [
  { header: ['row'], align: 'left' },
  { header: ['on'], align: 'left' },
  { header: ['measured', 'ms'], align: 'right' },
  { header: ['95 %', 'interval'], align: 'left' },
  { header: ['simulated', 'ms'], align: 'right' },
  { header: ['measured /', 'simulated'], align: 'right' },
  { header: ['95 %', 'interval'], align: 'left' },
  { header: ['passes'], align: 'right' },
  { header: ['tokens'], align: 'left' },
  { header: ['beside the', 'reference'], align: 'left' },
];

/** The measured ladder for a terminal, ending in what the numbers are and are not. */
export function printMeasured(ladder: MeasuredLadder, color: boolean): string {
  const c = createColors(color);
  const table = formatTable(COLUMNS, ladder.rows.map(cells), { maxWidth: WIDTH, styleHeader: c.bold });
  return [table, '', ...legend(ladder).map((line) => wrapText(line, WIDTH, '  '))].join('\n');
}

function cells(row: MeasuredRow): string[] {
  const { measured_ms: ms, simulated_ms: simulated, ratio, tokens, reference } = row;
  return [
    row.name,
    row.device,
    `${number(ms.median)}${row.measured_as === null ? '' : ' ='}`,
    span(ms),
    number(simulated.median),
    number(ratio.median),
    span(ratio),
    number(row.passes),
    words(tokens),
    reference === null ? '-' : words({ ...reference, equal: reference.different === 0 }),
  ];
}

function words({
  equal,
  different,
  compared,
}: {
  equal: boolean;
  different: number;
  compared: number;
}): string {
  return equal ? 'equal' : `${different} of ${compared} differ`;
}

function span({ low, high }: { readonly low: number; readonly high: number }): string {
  return low === high ? '' : `${number(low)}-${number(high)}`;
}

function number(value: number): string {
  return value >= 1000 ? formatCount(value) : value.toPrecision(3);
}

function legend({ model, devices, profile, prompts, rows, notes }: MeasuredLadder): string[] {
  const shared = rows.filter(({ measured_as }) => measured_as !== null);
  return [
    `Measured: ${model.name} (${formatCount(model.params)} parameters, products in ${model.numerics}) on ` +
      `${devices.map(({ name, executionClass, threads }) => `${name} (class ${executionClass}, threads ${threads})`).join(' and ')}; ` +
      `${prompts.count === 1 ? '1 prompt' : `${prompts.count} prompts`} of ${prompts.genLength} tokens, seed ${prompts.seed}. ` +
      'Wall-clock time of a whole answer, loading not included.',
    `Simulated: the same passes with the same shapes on ${profile.name}. Tokens: beside the row that the ladder names ` +
      '(`--json` says which, and why they may differ); beside the reference: the same method on tfjs in f32.',
    ...(shared.length === 0
      ? []
      : [
          `= measured once: ${shared.map(({ name, measured_as }) => `${name} is ${measured_as}`).join(', ')}.`,
        ]),
    'Notes:',
    ...notes.map((note) => `  - ${note}`),
  ];
}
