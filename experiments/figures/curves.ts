import type { TopLevelSpec } from 'vega-lite';
import { bySource, isKnown } from './by-source.js';
import { HOUSE_STYLE, PAGE_WIDTH, PALETTE } from './style.js';

export interface Axis {
  readonly title: string;
  readonly scale?: 'linear' | 'log';
  /** Values with a tick. */
  readonly values?: readonly number[];
  /** Whether a linear y axis starts at 0. @defaultValue true */
  readonly zero?: boolean;
}

export interface Series {
  /** `here` and `paper` have a colour and a place in the legend; a `guide` is a grey line that is no data. */
  readonly source: 'here' | 'paper' | 'guide';
  /** Short text at the right end of the line; for several lines of one source. */
  readonly label?: string;
  readonly x: readonly (number | null)[];
  readonly y: readonly (number | null)[];
  /** `linked` joins the points by a dashed line. @defaultValue line for `here`, points for `paper` */
  readonly mark?: 'line' | 'points' | 'linked' | 'line-and-points';
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** Curves side by side: lines for what was computed, diamonds for what was published. */
export function curves(panels: readonly Panel[], height = 190): TopLevelSpec {
  const width = Math.floor((PAGE_WIDTH - 20) / panels.length) - 72;
  const hasPaper = panels.some(({ series }) => series.some(({ source }) => source === 'paper'));
  return {
    ...HOUSE_STYLE,
    hconcat: panels.map((panel) => ({
      title: panel.title,
      width,
      height,
      layer: [
        ...panel.series.flatMap((series) => layersOf(panel, series, hasPaper)),
        ...namesOf(panel, height),
      ],
    })),
  };
}

/** @param hasPaper whether anything published is shown: without it a legend would name nothing that is there */
function layersOf(panel: Panel, series: Series, hasPaper: boolean) {
  const values = pointsOf(series);
  const guide = series.source === 'guide';
  const mark = series.mark ?? (guide ? 'line' : series.source === 'here' ? 'line-and-points' : 'points');
  const encoding = {
    x: { field: 'x', type: 'quantitative', ...axisOf(panel, 'x') },
    y: { field: 'y', type: 'quantitative', ...axisOf(panel, 'y') },
    color: guide ? { value: PALETTE.grey } : { ...bySource('circle'), ...(hasPaper ? {} : { legend: null }) },
  } as const;
  const data = { values };
  const line = {
    data,
    mark: {
      type: 'line',
      ...(mark === 'linked' ? { strokeWidth: 1, strokeDash: [3, 2] } : { strokeWidth: guide ? 1 : 1.6 }),
    },
    encoding,
  } as const;
  const paper = series.source === 'paper';
  const points = {
    data,
    mark: {
      type: 'point',
      filled: true,
      opacity: 1,
      shape: paper ? 'diamond' : 'circle',
      size: paper ? 44 : 24,
    },
    encoding,
  } as const;
  return mark === 'points' ? [points] : mark === 'line' ? [line] : [line, points];
}

/** Least distance of two names at the right end, in pixels. */
const NAME_GAP = 10;

/** Names of the series at their right ends, moved apart where they would overlap. */
function namesOf(panel: Panel, height: number) {
  const y = axisOf(panel, 'y');
  const [bottom = 0, top = 1] = y.scale.domain;
  const ends = panel.series
    .flatMap((series) => {
      if (series.label === undefined) return [];
      const points = pointsOf(series);
      return points
        .filter(({ x }) => x === Math.max(...points.map((point) => point.x)))
        .slice(-1)
        .map((last) => ({ ...last, label: series.label }));
    })
    .sort((a, b) => b.y - a.y);
  let previous = Number.NEGATIVE_INFINITY;
  return ends.map((end) => {
    const at = (height * (top - end.y)) / (top - bottom);
    const placed = Math.max(at, previous + NAME_GAP);
    previous = placed;
    return {
      data: { values: [end] },
      mark: { type: 'text', align: 'left', dx: 5, dy: placed - at },
      encoding: {
        x: { field: 'x', type: 'quantitative', ...axisOf(panel, 'x') },
        y: { field: 'y', type: 'quantitative', ...y },
        text: { field: 'label' },
      },
    } as const;
  });
}

function pointsOf(series: Series): { x: number; y: number; source: string }[] {
  return series.x.flatMap((x, i) => {
    const y = series.y[i];
    return isKnown(x) && isKnown(y) ? [{ x, y, source: series.source }] : [];
  });
}

/** As many decimals for every tick as the one that needs most: 0.85, 0.90. */
function sameDigits(values: readonly number[]): string {
  return `,.${Math.max(...values.map((value) => String(value).split('.')[1]?.length ?? 0))}f`;
}

/** Scale and axis that hold all points of the panel with a little air, and every asked-for tick. */
function axisOf(panel: Panel, channel: 'x' | 'y') {
  const axis = panel[channel];
  const values = [
    ...panel.series.flatMap((series) => pointsOf(series).map((point) => point[channel])),
    ...(axis.values ?? []),
  ];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const log = axis.scale === 'log';
  const air = (high - low) * 0.06;
  const floating = channel === 'x' || axis.zero === false;
  const bottom = floating ? low - air : Math.min(0, low);
  const domain = log ? [low / 1.15, high * 1.15] : [bottom, high + air];
  return {
    scale: { type: axis.scale ?? 'linear', domain, nice: false, ...(log ? {} : { zero: false }) },
    axis: {
      title: axis.title,
      ...(log ? { format: ',~f' } : axis.values === undefined ? {} : { format: sameDigits(axis.values) }),
      ...(axis.values === undefined ? { tickCount: 6 } : { values: [...axis.values] }),
    },
  } as const;
}
