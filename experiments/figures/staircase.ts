import type { Figure } from './page.js';
import { spread } from './spread.js';
import { HOUSE_STYLE, PALETTE, TEXT } from './style.js';

export interface StaircasePoint {
  readonly rows: number;
  readonly ms: number;
  /** One line each, e.g. the memory runtime. */
  readonly series: string;
}

const HEIGHT = 170;
/** Length of the line between a curve and its name. */
const LEADER = 9;
const COLORS = [PALETTE.blue, PALETTE.vermilion, PALETTE.green, PALETTE.black];
const DASHES = [undefined, [5, 2], [2, 1.5], [6, 2, 1.5, 2]];
/** Under the others and wider than they are: a curve that another covers still shows at its sides. */
const UNDER = { color: '#C4C4C4', strokeWidth: 4 };

/** Time of a step by its rows; it rises at the first row of each tile. The last series is drawn under the others. */
export function staircase(
  points: readonly StaircasePoint[],
  tile: number,
  titles: { readonly title: string; readonly subtitle?: string },
): Figure {
  const series = [...new Set(points.map((point) => point.series))];
  const last = Math.max(...points.map(({ rows }) => rows));
  const first = Array.from({ length: Math.ceil(last / tile) }, (_, i) => i * tile + 1);
  const top = Math.max(...points.map(({ ms }) => ms)) * 1.05;
  // A number of rows holds until the next one: the last needs an end too.
  const own = (name: string) => {
    const line = points.filter((point) => point.series === name);
    return [...line, ...line.slice(-1).map((point) => ({ ...point, rows: point.rows + 1 }))];
  };
  const [domainX, domainY] = [
    [1, last + 1],
    [0, top],
  ];
  const x = {
    field: 'rows',
    type: 'quantitative',
    scale: { domain: domainX, nice: false },
    axis: { title: `rows of the step (lines: first row of a tile of ${tile})`, values: first, grid: false },
  } as const;
  const y = {
    field: 'ms',
    type: 'quantitative',
    scale: { domain: domainY, nice: false },
    axis: { title: 'time of one step, ms', tickCount: 6 },
  } as const;
  const ends = series.map((name) => own(name).at(-1)?.ms ?? 0);
  const at = ends.map((ms) => HEIGHT * (1 - ms / top));
  const placed = spread(at, TEXT + 1, [0, HEIGHT]);
  const under = series.length > 1 ? series.length - 1 : -1;
  const order = [...series.keys()].sort((a, b) => Number(b === under) - Number(a === under));
  return (page) => ({
    ...HOUSE_STYLE,
    title: { text: titles.title, ...(titles.subtitle === undefined ? {} : { subtitle: titles.subtitle }) },
    width: page.plot,
    height: HEIGHT,
    layer: [
      {
        data: { values: first.slice(1).map((rows) => ({ rows })) },
        mark: { type: 'rule', color: '#BBBBBB', strokeWidth: 0.6, strokeDash: [1, 2] },
        encoding: { x },
      },
      ...order.map((i) => ({
        data: { values: own(series[i]) },
        mark: {
          type: 'line' as const,
          interpolate: 'step-after' as const,
          ...(i === under
            ? UNDER
            : { color: COLORS[i % COLORS.length], strokeWidth: 1.2, strokeDash: DASHES[i % DASHES.length] }),
        },
        encoding: { x, y },
      })),
      // From the end of a curve to its name, where they stand apart.
      ...series.flatMap((_, i) =>
        series.length < 2
          ? []
          : [
              {
                data: { values: [{}] },
                mark: {
                  type: 'rule' as const,
                  color: i === under ? '#AAAAAA' : COLORS[i % COLORS.length],
                  strokeWidth: 0.5,
                },
                encoding: {
                  x: { value: page.plot },
                  x2: { value: page.plot + LEADER },
                  y: { value: at[i] },
                  y2: { value: placed[i] },
                },
              },
            ],
      ),
      ...series.map((name, i) => ({
        data: { values: own(name).slice(-1) },
        mark: {
          type: 'text' as const,
          align: 'left' as const,
          dx: series.length < 2 ? 4 : LEADER + 2,
          dy: placed[i] - at[i],
        },
        encoding: { x, y, text: { value: name } },
      })),
    ],
  });
}
