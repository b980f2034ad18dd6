import type { TopLevelSpec } from 'vega-lite';
import { formatFactor, trusted } from '../studies/ladder/format.js';
import type { AblationSummary } from '../studies/ladder/types.js';
import { HOUSE_STYLE, PAGE_WIDTH, PALETTE } from './style.js';

interface LadderDatum {
  readonly name: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly paper: number | null;
  readonly ours: string;
  readonly theirs: string;
}

const OURS = 'simulated (median, 95 % interval)';
const PAPER = 'paper, Table 6 (measured on SM8750)';
const ROW_HEIGHT = 24;
/** The bar sits in the upper part of its row, the paper's mark below it: neither hides the other. */
const BAR_OFFSET = -3;
const MARK_OFFSET = 7;
const PLOT_WIDTH = PAGE_WIDTH - 290;
/** Right edges of the two text columns, right of the plot. */
const OURS_X = PLOT_WIDTH + 58;
const PAPER_X = PLOT_WIDTH + 108;

/**
 * The ladder: one bar per row on a logarithmic time axis, the paper's value as a mark on the same row, speed-ups
 * over CPU + prefix KV as text. Bars start at the left end of the axis, not at zero: only their right ends are
 * data, which the caption says.
 */
export function ladderSpec(summary: AblationSummary): TopLevelSpec {
  const data = summary.rows.map(
    (row): LadderDatum => ({
      name: row.name,
      median: row.latency_s.median,
      low: row.latency_s.low,
      high: row.latency_s.high,
      paper: row.paper_s,
      ours: trusted(row) ? times(row.speedup.vsCpuKv) : 'failed',
      theirs: times(row.paper_speedup?.vsCpuKv),
    }),
  );
  const domain = logDomain(data.flatMap((d) => [d.low, d.high, ...(d.paper === null ? [] : [d.paper])]));
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    axis: { title: null, ticks: false, domain: false },
  } as const;
  const scale = { type: 'log', domain, nice: false } as const;
  const x = {
    field: 'median',
    type: 'quantitative',
    scale,
    axis: {
      title: `seconds for one answer (log); ${summary.costModel.name} ${summary.costModel.quant}`,
      values: decades(domain),
      format: ',~f',
      labelFlush: false,
    },
  } as const;
  const headerText = (value: string, at: number, line: number) => ({
    data: { values: [{}] },
    mark: { type: 'text', align: 'right', baseline: 'bottom', fontSize: 9, color: '#555555' } as const,
    encoding: { text: { value }, x: { value: at }, y: { value: -4 - 12 * line } },
  });
  return {
    ...HOUSE_STYLE,
    width: PLOT_WIDTH,
    height: data.length * ROW_HEIGHT,
    data: { values: data },
    layer: [
      {
        mark: { type: 'bar', height: 10, yOffset: BAR_OFFSET, cornerRadius: 0 },
        encoding: { y, x, x2: { datum: domain[0] }, color: seriesColor(OURS) },
      },
      {
        mark: { type: 'rule', strokeWidth: 1.4, color: PALETTE.black, yOffset: BAR_OFFSET },
        encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
      },
      {
        transform: [{ filter: 'datum.paper !== null' }],
        mark: { type: 'point', shape: 'diamond', filled: true, size: 44, opacity: 1, yOffset: MARK_OFFSET },
        encoding: { y, x: { ...x, field: 'paper' }, color: seriesColor(PAPER) },
      },
      {
        mark: { type: 'text', align: 'right', fontWeight: 'bold' },
        encoding: { y, x: { value: OURS_X }, text: { field: 'ours' } },
      },
      {
        mark: { type: 'text', align: 'right', color: '#555555' },
        encoding: { y, x: { value: PAPER_X }, text: { field: 'theirs' } },
      },
      headerText('speed-up over CPU + KV', PAPER_X, 1),
      headerText('here', OURS_X, 0),
      headerText('paper', PAPER_X, 0),
    ],
  };
}

function seriesColor(series: string) {
  return {
    datum: series,
    type: 'nominal',
    scale: { domain: [OURS, PAPER], range: [PALETTE.sky, PALETTE.vermilion] },
    legend: {
      title: null,
      orient: 'bottom',
      symbolSize: 60,
      labelLimit: 0,
      columnPadding: 24,
      encoding: {
        symbols: {
          opacity: { value: 1 },
          shape: { value: { expr: `datum.label === '${PAPER}' ? 'diamond' : 'square'` } },
        },
      },
    },
  } as const;
}

function times(factor: number | null | undefined): string {
  const text = formatFactor(factor);
  return text === '-' ? text : `${text}\u00d7`;
}

/** Half a decade of air to the left keeps the shortest bar visible. */
function logDomain(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0);
  const low = Math.min(...positive);
  const high = Math.max(...positive);
  return [10 ** Math.floor(Math.log10(low) - 0.5), 10 ** Math.ceil(Math.log10(high * 1.05))];
}

function decades([low, high]: readonly [number, number]): number[] {
  const first = Math.round(Math.log10(low));
  const last = Math.round(Math.log10(high));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}
