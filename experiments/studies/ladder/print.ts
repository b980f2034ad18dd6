import { createColors } from 'picocolors';
import { type Column, formatTable, wrapText } from '../../../src/util/table.js';
import {
  ABSENT,
  exactnessNote,
  formatCount,
  formatFactor,
  formatInterval,
  formatMachineSpread,
  formatMoved,
  formatPercent,
  formatProportion,
  formatSeconds,
  trusted,
  verdictColour,
  verdictWord,
} from './format.js';
import type { AblationRow, AblationSummary } from './types.js';

/** Widest line of the printed ladder. */
export const PRINT_WIDTH = 120;

const COLUMNS: readonly Column[] = [
  { header: ['row'], align: 'left' },
  { header: ['latency', 's'], align: 'right' },
  { header: ['95 %', 'interval'], align: 'left' },
  { header: ['x', 'prev'], align: 'right' },
  { header: ['x', 'CPU+KV'], align: 'right' },
  { header: ['NFE'], align: 'right' },
  { header: ['tok/', 'fwd'], align: 'right' },
  { header: ['busy %', 'M/V/D/C'], align: 'right' },
  { header: ['map/stage', 'GiB/step'], align: 'right' },
  { header: ['exact', 'match %'], align: 'left' },
  { header: ['tokens'], align: 'left' },
  { header: ['paper', 's'], align: 'right' },
  { header: ['paper x', 'CPU+KV'], align: 'right' },
];

/**
 * The ladder for a terminal: at most {@link PRINT_WIDTH} columns, complete without colour, ending in what the
 * numbers are and are not.
 */
export function printLadder(summary: AblationSummary, color: boolean): string {
  const c = createColors(color);
  const rows = summary.rows.map((row) => cells(row, c));
  const table = formatTable(COLUMNS, rows, { maxWidth: PRINT_WIDTH, styleHeader: c.bold });
  return [table, '', ...legend(summary).map((line) => wrapText(line, PRINT_WIDTH, '  '))].join('\n');
}

function cells(row: AblationRow, c: ReturnType<typeof createColors>): string[] {
  const { low, high } = row.latency_s;
  const interval = formatInterval('', formatSeconds(low), formatSeconds(high)).trim();
  const u = row.utilization;
  const paint = { exact: c.green, diverges: c.red, 'not-expected': c.yellow }[verdictColour(row)];
  return [
    row.name,
    c.bold(formatSeconds(row.latency_s.median)),
    interval,
    trusted(row) ? formatFactor(row.speedup.vsPrevious) : ABSENT,
    trusted(row) ? formatFactor(row.speedup.vsCpuKv) : ABSENT,
    row.forwards.mean.toFixed(row.forwards.mean >= 100 ? 0 : 1),
    row.tokens_per_forward.all.toFixed(2),
    [u.matrix, u.vector, u.dma, u.cpu].map(formatPercent).join('/'),
    formatMoved(row),
    formatProportion(row.accuracy.whole),
    paint(verdictWord(row)),
    c.dim(row.paper_s === null ? ABSENT : row.paper_s.toFixed(1)),
    c.dim(formatFactor(row.paper_speedup?.vsCpuKv)),
  ];
}

/** The factor of the last row with both of its intervals, told apart. */
function headline({ rows }: AblationSummary): string[] {
  const last = rows.at(-1);
  if (last?.speedupIntervals === undefined || !trusted(last)) return [];
  const { cases } = last.speedupIntervals;
  return [
    `${last.name} over CPU + prefix KV: ${formatFactor(last.speedup.vsCpuKv)}x; 95 % over the prompts ${formatFactor(cases.low)} to ` +
      `${formatFactor(cases.high)}, 80 % over what is not known of the machine ${formatMachineSpread(last)}. Who decides is in neither.`,
  ];
}

function legend(summary: AblationSummary): string[] {
  const { model, costModel, profile, prompts } = summary;
  const assumed = profile.fittedOrAssumed.length;
  const promptCount = prompts.count === 1 ? '1 prompt' : `${prompts.count} prompts`;
  const checks = summary.rows.flatMap((row) => {
    const note = exactnessNote(row);
    return note === null ? [] : [`  ${row.name}: ${note}`];
  });
  const recomputed = summary.rows.flatMap((row) => row.token_exact.specification ?? []);
  const total = (of: (check: (typeof recomputed)[number]) => number) =>
    recomputed.reduce((sum, c) => sum + of(c), 0);
  const reexecution =
    total((c) => c.rows) === 0
      ? []
      : [
          `Re-execution without cache or window: ${formatCount(total((c) => c.rows))} predictions, ` +
            `${total((c) => c.mismatches)} differ.`,
        ];
  return [
    `Decisions: ${model.name} (${formatCount(model.params)} parameters, ${summary.engine}) on ${promptCount} of ` +
      `${prompts.set}, seed ${prompts.seed}.`,
    `Costs: ${costModel.name} ${costModel.quant}, simulated on ${profile.name}; ${assumed} of its numbers ` +
      `${assumed === 1 ? 'is' : 'are'} fitted or assumed. No row is a measurement on a device.`,
    'Latency: median over prompts, bootstrap interval. NFE: forwards on the critical path. busy: matrix unit / ' +
      'vector unit / DMA / CPU. exact match: whole answers, Wilson interval. paper: arXiv:2606.13740 Table 6 (SM8750).',
    ...headline(summary),
    ...(checks.length > 0 ? ['Token check:', ...checks] : []),
    ...reexecution,
    ...(summary.notes.length > 0 ? ['Notes:', ...summary.notes.map((note) => `  - ${note}`)] : []),
  ];
}
