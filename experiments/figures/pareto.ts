import type { TopLevelSpec } from 'vega-lite';
import { logTicks } from './log-ticks.js';
import { COLUMN_AND_HALF, HOUSE_STYLE, PALETTE } from './style.js';

export interface ParetoPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Interval of y, where there is one. */
  readonly low?: number;
  readonly high?: number;
}

export interface ParetoAxes {
  readonly title: string;
  /** Smaller is better. */
  readonly x: { readonly title: string; readonly log?: boolean };
  /** Larger is better unless `smaller`. */
  readonly y: { readonly title: string; readonly smaller?: boolean; readonly percent?: boolean };
  /** All points are named in a legend by their shape, for few points with long names; else those of the front. */
  readonly legend?: boolean;
}

/** Told apart without colour. */
const SHAPES = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right'];

/** Points that no other point beats in both directions, by x. Of equal points the first counts. */
export function front(points: readonly ParetoPoint[], smallerY = false): ParetoPoint[] {
  const worth = ({ y }: ParetoPoint): number => (smallerY ? -y : y);
  let best = Number.NEGATIVE_INFINITY;
  return [...points]
    .sort((a, b) => a.x - b.x || worth(b) - worth(a))
    .filter((point) => {
      if (worth(point) <= best) return false;
      best = worth(point);
      return true;
    });
}

/** All points, the front joined by steps and named. */
export function pareto(points: readonly ParetoPoint[], axes: ParetoAxes): TopLevelSpec {
  if (axes.legend && points.length > SHAPES.length)
    throw new Error(`a legend names ${SHAPES.length} points at most, not ${points.length}`);
  const best = front(points, axes.y.smaller);
  const others = points.filter((point) => !best.includes(point));
  const xs = points.map((point) => point.x);
  // Room for the names on the right.
  const extent = [Math.min(...xs) / 1.2, Math.max(...xs) * (axes.legend ? 1.2 : 1.5)];
  const x = {
    field: 'x',
    type: 'quantitative',
    // A logarithmic scale has no zero to leave out.
    scale: axes.x.log
      ? ({ type: 'log', domain: extent, nice: false } as const)
      : ({ type: 'linear', zero: false, padding: 24 } as const),
    axis: {
      title: axes.x.title,
      tickCount: 6,
      ...(axes.x.log ? { format: ',~f', values: logTicks(extent) } : {}),
    },
  } as const;
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { zero: false, padding: 14 },
    axis: { title: axes.y.title, tickCount: 6, ...(axes.y.percent ? { format: '.0%' } : {}) },
  } as const;
  // A layer without data has no extent, which Vega reports.
  const uncertain = points.filter(({ low }) => low !== undefined);
  const intervals =
    uncertain.length === 0
      ? []
      : [
          {
            data: { values: uncertain },
            mark: { type: 'rule' as const, color: PALETTE.grey },
            encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
          },
        ];
  const byName = [...points].sort((a, b) => a.x - b.x).map(({ name }) => name);
  const shape = axes.legend
    ? {
        shape: {
          field: 'name' as const,
          type: 'nominal' as const,
          scale: { domain: byName, range: SHAPES.slice(0, byName.length) },
          legend: { title: null, orient: 'bottom' as const, columns: 1, labelLimit: COLUMN_AND_HALF },
        },
      }
    : {};
  const beaten =
    others.length === 0
      ? []
      : [
          {
            data: { values: others },
            mark: { type: 'point' as const, filled: false, size: 34, color: PALETTE.grey, opacity: 1 },
            encoding: { x, y, ...shape },
          },
        ];
  // Neighbours on the front are named above and below in turn.
  const names = (axes.legend ? [] : [0, 1]).flatMap((side) => {
    const values = best.filter((_, at) => at % 2 === side);
    if (values.length === 0) return [];
    const mark = { type: 'text' as const, align: 'left' as const, dx: 7, dy: side === 0 ? 10 : -9 };
    return [{ data: { values }, mark, encoding: { x, y, text: { field: 'name' } } }];
  });
  return {
    ...HOUSE_STYLE,
    title: axes.title,
    width: COLUMN_AND_HALF,
    height: 260,
    layer: [
      ...intervals,
      {
        data: { values: best },
        mark: { type: 'line', interpolate: 'step-after', color: PALETTE.blue, strokeWidth: 1.4 },
        encoding: { x, y },
      },
      ...beaten,
      {
        data: { values: best },
        mark: { type: 'point', filled: true, size: 52, color: PALETTE.blue, opacity: 1 },
        encoding: { x, y, ...shape },
      },
      ...names,
    ],
  };
}
