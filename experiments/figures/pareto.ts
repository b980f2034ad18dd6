import { haloed } from './halo.js';
import { logTicks } from './log-ticks.js';
import type { Figure } from './page.js';
import { spread } from './spread.js';
import { HOUSE_STYLE, PALETTE, QUIET, TEXT } from './style.js';
import { textWidth } from './text-width.js';

export interface ParetoPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Interval of y, where there is one. */
  readonly low?: number;
  readonly high?: number;
  /** Interval of x, where there is one. */
  readonly xLow?: number;
  readonly xHigh?: number;
}

export interface ParetoAxes {
  readonly title: string;
  readonly subtitle?: string;
  /** Smaller is better. */
  readonly x: { readonly title: string; readonly log?: boolean };
  /** Larger is better unless `smaller`. */
  readonly y: { readonly title: string; readonly smaller?: boolean; readonly percent?: boolean };
}

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

const HEIGHT = 190;
/** Most points of which each is named; of more, those of the front. */
const MOST_NAMES = 24;

/** All points with their intervals, the front joined by steps, names beside the points. */
export function pareto(points: readonly ParetoPoint[], axes: ParetoAxes): Figure {
  const best = front(points, axes.y.smaller);
  const named = points.length > MOST_NAMES ? best : points;
  const others = points.filter((point) => !best.includes(point));
  const xDomain = padded(
    points.flatMap(({ x, xLow = x, xHigh = x }) => [x, xLow, xHigh]),
    axes.x.log ?? false,
  );
  const yDomain = padded(
    points.flatMap(({ y, low = y, high = y }) => [y, low, high]),
    false,
    axes.y.percent ? 1 : undefined,
  );
  const y = {
    field: 'y',
    type: 'quantitative',
    scale: { domain: yDomain, nice: false, zero: false },
    axis: {
      title: axes.y.title,
      tickCount: 6,
      ...(axes.y.percent ? { labelExpr: "format(100 * datum.value, '~f') + ' %'" } : {}),
    },
  } as const;
  const rule = (
    field: 'x' | 'y',
    ends: readonly [keyof ParetoPoint, keyof ParetoPoint],
    values: ParetoPoint[],
  ) => ({
    field,
    ends,
    values: values.filter((point) => point[ends[0]] !== undefined),
  });
  const rules = [rule('y', ['low', 'high'], [...points]), rule('x', ['xLow', 'xHigh'], [...points])];
  return (page) => {
    const x = {
      field: 'x',
      type: 'quantitative',
      scale: axes.x.log
        ? ({ type: 'log', domain: xDomain, nice: false } as const)
        : ({ type: 'linear', domain: xDomain, nice: false, zero: false } as const),
      axis: {
        title: axes.x.title,
        tickCount: Math.max(3, Math.floor(page.plot / 45)),
        ...(axes.x.log ? { format: ',~f', values: logTicks(xDomain) } : {}),
      },
    } as const;
    const labels = namesBeside(named, {
      width: page.plot,
      x: (value) => page.plot * along(value, xDomain, axes.x.log ?? false),
      y: (value) => HEIGHT * (1 - along(value, yDomain, false)),
    });
    return {
      ...HOUSE_STYLE,
      title: { text: axes.title, ...(axes.subtitle === undefined ? {} : { subtitle: axes.subtitle }) },
      width: page.plot,
      height: HEIGHT,
      layer: [
        ...rules.flatMap(({ field, ends: [from, to], values }) =>
          values.length === 0
            ? []
            : [
                {
                  data: { values },
                  mark: { type: 'rule' as const, color: PALETTE.grey, strokeWidth: 0.8 },
                  encoding:
                    field === 'y'
                      ? { x, y: { ...y, field: from }, y2: { field: to } }
                      : { y, x: { ...x, field: from }, x2: { field: to } },
                },
              ],
        ),
        {
          data: { values: best },
          mark: {
            type: 'line',
            interpolate: 'step-after',
            color: PALETTE.blue,
            strokeWidth: 1,
          },
          encoding: { x, y },
        },
        {
          data: { values: labels },
          mark: { type: 'rule', color: '#AAAAAA', strokeWidth: 0.5 },
          encoding: {
            x: { field: 'fromX', type: 'quantitative', scale: null },
            y: { field: 'fromY', type: 'quantitative', scale: null },
            x2: { field: 'toX' },
            y2: { field: 'toY' },
          },
        },
        ...(others.length === 0
          ? []
          : [
              {
                data: { values: others },
                mark: {
                  type: 'point' as const,
                  filled: true,
                  fill: '#FFFFFF',
                  stroke: PALETTE.black,
                  strokeWidth: 0.8,
                  size: 22,
                  opacity: 1,
                },
                encoding: { x, y },
              },
            ]),
        {
          data: { values: best },
          mark: { type: 'point', filled: true, size: 30, color: PALETTE.blue, opacity: 1 },
          encoding: { x, y },
        },
        ...(['left', 'right'] as const).flatMap((align) => {
          const values = labels.filter((label) => label.align === align);
          if (values.length === 0) return [];
          return [
            ...haloed({
              data: { values },
              mark: { type: 'text' as const, align },
              encoding: {
                x: { field: 'toX', type: 'quantitative' as const, scale: null },
                y: { field: 'toY', type: 'quantitative' as const, scale: null },
                text: { field: 'name' },
                fill: {
                  condition: { test: 'datum.best', value: '#222222' },
                  value: QUIET,
                },
              },
            }),
          ];
        }),
      ],
    };

    /** Names to the right of their points, or to the left where there is no room, moved apart. */
    function namesBeside(
      all: readonly ParetoPoint[],
      place: { width: number; x: (value: number) => number; y: (value: number) => number },
    ) {
      const at = all.map((point) => {
        const [px, py] = [place.x(point.x), place.y(point.y)];
        const room = textWidth(point.name, TEXT) + 12;
        return { point, px, py, align: px + room > place.width && px > room ? 'right' : 'left' };
      });
      // A name stands under the signs that it would cover.
      const free = at.map(({ point, px, py, align }) => {
        const [from, to] =
          align === 'left'
            ? [px + 6, px + 10 + textWidth(point.name, TEXT)]
            : [px - 10 - textWidth(point.name, TEXT), px - 6];
        const covers = (y: number): boolean =>
          points.some((other) => {
            const ox = place.x(other.x);
            return ox > from - 3 && ox < to + 3 && Math.abs(place.y(other.y) - y) < TEXT;
          });
        let y = py;
        while (covers(y) && y < HEIGHT - TEXT) y += 2;
        return y;
      });
      const ys = spread(free, TEXT + 1, [4, HEIGHT - 4]);
      return at.map(({ point, px, py, align }, i) => ({
        name: point.name,
        best: best.includes(point),
        align,
        fromX: px,
        fromY: py,
        toX: px + (align === 'left' ? 8 : -8),
        toY: ys[i],
      }));
    }
  };
}

/** The values with a little air on both sides. */
function padded(values: readonly number[], log: boolean, most = Number.POSITIVE_INFINITY): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (log) return [low / 1.2, high * 1.2];
  const air = (high - low) * 0.07 || Math.abs(high) * 0.1 || 1;
  // A share ends at 1, where a point is drawn on the edge.
  return [low - air, Math.min(high + air, Math.max(high, most))];
}

function along(value: number, [low, high]: readonly [number, number], log: boolean): number {
  return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}
