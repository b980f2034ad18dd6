import { type Figure, panelColumns } from './page.js';
import { HOUSE_STYLE, PALETTE, TEXT } from './style.js';
import { textWidth } from './text-width.js';

export interface MapCell {
  readonly row: string;
  readonly column: string;
  readonly group: string;
  /** Null where there is no value: drawn grey, with a dash. */
  readonly value: number | null;
}

/** Values by row and column, one panel per group: 1 is white, more is blue, less is orange; each cell says its value. */
export function valueMap(cells: readonly MapCell[], title: string, legend: string): Figure {
  const groups = [...new Set(cells.map(({ group }) => group))];
  const columns = new Set(cells.map(({ column }) => column)).size;
  const least = textWidth('0.00', TEXT) + 4;
  const has = (group: string, row: string, column: string): boolean =>
    cells.some((cell) => cell.group === group && cell.row === row && cell.column === column);
  const missing = groups.flatMap((group) =>
    [...new Set(cells.filter((cell) => cell.group === group).map(({ row }) => row))].flatMap((row) =>
      [...new Set(cells.map(({ column }) => column))]
        .filter((column) => !has(group, row, column))
        .map((column): MapCell => ({ group, row, column, value: null })),
    ),
  );
  const values = [...cells, ...missing].map((cell) => ({
    ...cell,
    text: cell.value === null ? '–' : cell.value.toFixed(2),
  }));
  const x = {
    field: 'column',
    type: 'nominal',
    sort: null,
    axis: { title: null, labelAngle: -45, ticks: false },
  } as const;
  return (page) => {
    const rowNames = Math.max(...cells.map(({ row }) => textWidth(row, TEXT)));
    const beside = panelColumns(
      { ...page, width: page.width - rowNames },
      groups.length,
      columns * least + 12,
    );
    const panel = (group: string, at: number) => {
      const y = {
        field: 'row',
        type: 'nominal',
        sort: null,
        axis: { title: null, ticks: false, labels: at % beside === 0 },
      } as const;
      return {
        title: group,
        data: { values: values.filter((cell) => cell.group === group) },
        // A cell without a row is as grey as one without a value: white is a value.
        view: { fill: PALETTE.paleGrey },
        width: page.plot / beside,
        height: { step: 12 },
        layer: [
          { mark: { type: 'rect' as const, color: PALETTE.paleGrey }, encoding: { x, y } },
          {
            transform: [{ filter: 'datum.value !== null' }],
            mark: { type: 'rect' as const },
            encoding: {
              x,
              y,
              color: {
                field: 'value',
                type: 'quantitative' as const,
                scale: {
                  domain: [0.5, 1, 2],
                  range: [PALETTE.orange, '#FFFFFF', PALETTE.sky],
                  clamp: true,
                  interpolate: 'rgb' as const,
                },
                // Without its own values the legend rounds the low end to 1.
                legend: {
                  title: legend,
                  orient: 'bottom' as const,
                  gradientLength: 100,
                  gradientThickness: 8,
                  values: [0.5, 1, 2],
                  labelExpr: "datum.value === 2 ? '2 and more' : datum.value === 0.5 ? '0.5 and less' : '1'",
                },
              },
            },
          },
          { mark: { type: 'text' as const }, encoding: { x, y, text: { field: 'text' } } },
        ],
      };
    };
    return { ...HOUSE_STYLE, title, columns: beside, spacing: 8, concat: groups.map(panel) };
  };
}
