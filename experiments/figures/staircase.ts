import type { TopLevelSpec } from 'vega-lite';
import { COLUMN_AND_HALF, HOUSE_STYLE, PALETTE } from './style.js';

export interface StaircasePoint {
  readonly rows: number;
  readonly ms: number;
  /** One line each, e.g. the memory runtime. */
  readonly series: string;
}

const COLORS = [PALETTE.blue, PALETTE.vermilion, PALETTE.green, PALETTE.black];
const DASHES = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
];

/** Time of a step by its rows; vertical lines where a new row tile begins. */
export function staircase(points: readonly StaircasePoint[], tile: number, title: string): TopLevelSpec {
  const series = [...new Set(points.map((point) => point.series))];
  const last = Math.max(...points.map(({ rows }) => rows));
  const tiles = Array.from({ length: Math.floor(last / tile) }, (_, i) => (i + 1) * tile);
  const [domain, values] = [
    [0, last],
    [1, ...tiles],
  ];
  const x = {
    field: 'rows',
    type: 'quantitative',
    scale: { domain, nice: false },
    axis: { title: 'rows of the step', values, grid: false },
  } as const;
  return {
    ...HOUSE_STYLE,
    title: { text: title, subtitle: `dotted: last row of a ${tile}-row tile` },
    width: COLUMN_AND_HALF,
    height: 230,
    layer: [
      {
        data: { values: tiles.map((rows) => ({ rows })) },
        mark: { type: 'rule', color: '#BBBBBB', strokeDash: [1, 2] },
        encoding: { x },
      },
      {
        data: { values: [...points] },
        mark: { type: 'line', interpolate: 'step-before', strokeWidth: 1.6 },
        encoding: {
          x,
          y: {
            field: 'ms',
            type: 'quantitative',
            scale: { zero: true },
            axis: { title: 'ms for one step', tickCount: 6 },
          },
          color: {
            field: 'series',
            type: 'nominal',
            scale: { domain: series, range: COLORS.slice(0, series.length) },
            legend: { title: null, orient: 'bottom', symbolType: 'stroke', symbolStrokeWidth: 2 },
          },
          strokeDash: {
            field: 'series',
            type: 'nominal',
            scale: { domain: series, range: DASHES.slice(0, series.length) },
          },
        },
      },
    ],
  };
}
