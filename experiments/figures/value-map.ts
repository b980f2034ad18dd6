import type { TopLevelSpec } from 'vega-lite';
import { HOUSE_STYLE, PAGE_WIDTH, PALETTE } from './style.js';

export interface MapCell {
  readonly row: string;
  readonly column: string;
  readonly group: string;
  /** Null where there is no value: drawn grey, with a dash. */
  readonly value: number | null;
}

/** Values by row and column, one panel per group: 1 is white, more is blue, less is orange; each cell says its value. */
export function valueMap(cells: readonly MapCell[], title: string, legend: string): TopLevelSpec {
  const groups = new Set(cells.map(({ group }) => group)).size;
  const columns = new Set(cells.map(({ column }) => column)).size;
  const values = cells.map((cell) => ({
    ...cell,
    text: cell.value === null ? '–' : cell.value.toFixed(2),
  }));
  const x = { field: 'column', type: 'nominal', sort: null, axis: { title: null, labelAngle: -45 } } as const;
  const y = { field: 'row', type: 'nominal', sort: null, axis: { title: null } } as const;
  return {
    ...HOUSE_STYLE,
    title,
    data: { values },
    facet: { column: { field: 'group', type: 'nominal', sort: null, header: { title: null } } },
    spec: {
      // A cell without a row is as grey as one without a value: white is a value.
      view: { fill: PALETTE.paleGrey },
      width: Math.floor((PAGE_WIDTH - 150) / groups),
      height: { step: 20 },
      layer: [
        { mark: { type: 'rect', color: PALETTE.paleGrey }, encoding: { x, y } },
        {
          transform: [{ filter: 'datum.value !== null' }],
          mark: { type: 'rect' },
          encoding: {
            x,
            y,
            color: {
              field: 'value',
              type: 'quantitative',
              scale: {
                domain: [0.5, 1, 2],
                range: [PALETTE.orange, '#FFFFFF', PALETTE.sky],
                clamp: true,
                interpolate: 'rgb',
              },
              // Without its own values the legend rounds the low end to 1.
              legend: {
                title: legend,
                orient: 'bottom',
                gradientLength: 120,
                values: [0.5, 1, 2],
                labelExpr: 'datum.value',
              },
            },
          },
        },
        {
          mark: { type: 'text', fontSize: columns > 5 ? 7 : 8 },
          encoding: { x, y, text: { field: 'text' } },
        },
      ],
    },
  };
}
