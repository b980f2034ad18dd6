import type { TopLevelSpec } from 'vega-lite';
import { SCHEMA } from './by-source.js';
import { COLUMN_AND_HALF, CONFIG, PALETTE } from './style.js';

export interface TornadoRow {
  readonly name: string;
  /** What the low and the high end are, e.g. `16`, `1528`. */
  readonly lowText: string;
  readonly highText: string;
  readonly atLow: number;
  readonly atHigh: number;
}

const LOW = 'low end';
const HIGH = 'high end';

/** Results at both ends of each parameter around the result at the defaults, longest bar on top. */
export function tornado(
  rows: readonly TornadoRow[],
  base: number,
  titles: { readonly title: string; readonly x: string },
): TopLevelSpec {
  const width = (row: TornadoRow): number =>
    Math.max(row.atLow, row.atHigh, base) - Math.min(row.atLow, row.atHigh, base);
  const sorted = [...rows].sort((a, b) => width(b) - width(a));
  const values = sorted.flatMap(({ name, lowText, highText, atLow, atHigh }) => [
    { name, end: LOW, from: base, to: atLow, label: lowText },
    { name, end: HIGH, from: base, to: atHigh, label: highText },
  ]);
  const all = values.map(({ to }) => to).concat(base);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const air = (high - low) * 0.22;
  const domain = [low - air, high + air];
  const x = {
    type: 'quantitative',
    scale: { domain, nice: false, zero: false },
    axis: { title: titles.x, tickCount: 6, format: ',~f' },
  } as const;
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    axis: { title: null, ticks: false, domain: false, labelLimit: 0 },
  } as const;
  const label = (side: 'left' | 'right') => ({
    transform: [{ filter: side === 'left' ? 'datum.to < datum.from' : 'datum.to > datum.from' }],
    mark: {
      type: 'text' as const,
      align: side === 'left' ? ('right' as const) : ('left' as const),
      dx: side === 'left' ? -4 : 4,
      fontSize: 8,
    },
    encoding: { y, x: { ...x, field: 'to' }, text: { field: 'label' } },
  });
  return {
    $schema: SCHEMA,
    config: CONFIG,
    title: titles.title,
    width: COLUMN_AND_HALF - 60,
    height: { step: 18 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: 11 },
        encoding: {
          y,
          x: { ...x, field: 'from' },
          x2: { field: 'to' },
          color: {
            field: 'end',
            type: 'nominal',
            scale: { domain: [LOW, HIGH], range: [PALETTE.sky, PALETTE.blue] },
            legend: { title: null, orient: 'bottom', symbolType: 'square' },
          },
        },
      },
      {
        data: { values: [{ base }] },
        mark: { type: 'rule', color: PALETTE.black },
        encoding: { x: { ...x, field: 'base' } },
      },
      label('left'),
      label('right'),
    ],
  };
}
