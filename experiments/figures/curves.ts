import { bySource, isKnown } from './by-source.js';
import { type Figure, type Page, panelColumns } from './page.js';
import { spread } from './spread.js';
import { HOUSE_STYLE, PALETTE, TEXT } from './style.js';
import { textWidth } from './text-width.js';

export interface Axis {
  /** Words and a unit. */
  readonly title: string;
  readonly scale?: 'linear' | 'log';
  /** Values with a tick. */
  readonly values?: readonly number[];
  /** Whether a linear y axis starts at 0. @defaultValue true */
  readonly zero?: boolean;
  /** Values that the axis reaches, for panels that are compared. */
  readonly reaches?: readonly number[];
}

export interface Series {
  /** `here` and `paper` have a colour and a place in the legend; a `guide` is a grey line that is no data. */
  readonly source: 'here' | 'paper' | 'guide';
  /** Short text at the right end of the line, with line breaks where it is long; for several lines of one source. */
  readonly label?: string;
  readonly x: readonly (number | null)[];
  readonly y: readonly (number | null)[];
  /** Ends of an interval around each y. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** `linked` joins the points by a dashed line. @defaultValue line for `here`, points for `paper` */
  readonly mark?: 'line' | 'points' | 'linked' | 'line-and-points';
}

export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** Height of a line of a label. */
const LINE = TEXT + 1;

/** Least width of a panel whose ticks can be read. */
const LEAST_PANEL = 170;

/** Curves side by side: lines for what was computed, diamonds for what was published. */
export function curves(panels: readonly Panel[], height = 120): Figure {
  return (page) => {
    const columns = panelColumns(page, panels.length, LEAST_PANEL);
    const width = page.plot / columns;
    const drawn = panels.map((panel) => ({
      title: panel.title,
      width,
      height,
      layer: [
        ...panel.series.flatMap((series) => layersOf(panel, series, { page, panels, width })),
        ...namesOf(panel, { height, width }),
      ],
    }));
    return drawn.length === 1
      ? { ...HOUSE_STYLE, ...drawn[0] }
      : { ...HOUSE_STYLE, columns, spacing: 12, concat: drawn };
  };
}

interface Place {
  readonly page: Page;
  readonly panels: readonly Panel[];
  readonly width: number;
}

function layersOf(panel: Panel, series: Series, { page, panels, width }: Place) {
  // Without anything published a legend would name nothing that is there.
  const hasPaper = panels.some((each) => each.series.some(({ source }) => source === 'paper'));
  const values = pointsOf(series);
  const guide = series.source === 'guide';
  const mark = series.mark ?? (guide ? 'line' : series.source === 'here' ? 'line-and-points' : 'points');
  const encoding = {
    x: { field: 'x', type: 'quantitative', ...axisOf(panel, 'x', width) },
    y: { field: 'y', type: 'quantitative', ...axisOf(panel, 'y', width) },
    color: guide ? { value: PALETTE.grey } : { ...bySource(page), ...(hasPaper ? {} : { legend: null }) },
  } as const;
  const data = { values };
  const line = {
    data,
    mark: {
      type: 'line',
      ...(mark === 'linked' ? { strokeWidth: 0.8, strokeDash: [3, 2] } : { strokeWidth: guide ? 0.8 : 1.2 }),
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
      size: paper ? 26 : 16,
    },
    encoding,
  } as const;
  const interval = {
    data: { values: values.filter(({ low }) => low !== undefined) },
    mark: { type: 'rule', strokeWidth: 0.8, color: PALETTE.black },
    encoding: {
      x: encoding.x,
      y: { ...encoding.y, field: 'low' },
      y2: { field: 'high' },
    },
  } as const;
  const intervals = interval.data.values.length > 0 ? [interval] : [];
  return [...intervals, ...(mark === 'points' ? [points] : mark === 'line' ? [line] : [line, points])];
}

/** Names of the series at their right ends, moved apart where they would overlap. */
function namesOf(panel: Panel, { height, width }: { height: number; width: number }) {
  const y = axisOf(panel, 'y', width);
  const [bottom = 0, top = 1] = y.scale.domain;
  const log = y.scale.type === 'log';
  const along = (value: number): number =>
    log ? Math.log(top / value) / Math.log(top / bottom) : (top - value) / (top - bottom);
  const ends = panel.series.flatMap((series) => {
    if (series.label === undefined) return [];
    const points = pointsOf(series);
    const last = points.filter(({ x }) => x === Math.max(...points.map((point) => point.x))).slice(-1);
    const { label } = series;
    return last.map((point) => ({ ...point, label, at: height * along(point.y) }));
  });
  const lines = Math.max(1, ...ends.map(({ label }) => label.split('\n').length));
  const placed = spread(
    ends.map(({ at }) => at),
    lines * LINE + (lines > 1 ? 2 : 0),
    // Two lines at the bottom would run into the ticks.
    lines > 1 ? [0, height - (lines * LINE) / 2] : undefined,
  );
  return ends.map(
    (end, i) =>
      ({
        data: { values: [end] },
        mark: {
          type: 'text',
          align: 'left',
          dx: 5,
          // Of several lines the first one is placed.
          dy: placed[i] - end.at - ((end.label.split('\n').length - 1) * LINE) / 2,
          lineBreak: '\n',
          lineHeight: LINE,
        },
        encoding: {
          x: { field: 'x', type: 'quantitative', ...axisOf(panel, 'x', width) },
          y: { field: 'y', type: 'quantitative', ...y },
          text: { field: 'label' },
        },
      }) as const,
  );
}

interface Point {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  readonly source: string;
}

function pointsOf({ x: xs, y: ys, low, high, source }: Series): Point[] {
  return xs.flatMap((x, i) => {
    const [y, from, to] = [ys[i], low?.[i], high?.[i]];
    if (!isKnown(x) || !isKnown(y)) return [];
    return [{ x, y, ...(isKnown(from) && isKnown(to) ? { low: from, high: to } : {}), source }];
  });
}

/** As many decimals for every tick as the one that needs most: 0.85, 0.90. */
function sameDigits(values: readonly number[]): string {
  return `,.${Math.max(...values.map((value) => String(value).split('.')[1]?.length ?? 0))}f`;
}

/** Scale and axis that hold all points of the panel with a little air, and every asked-for tick. */
function axisOf(panel: Panel, channel: 'x' | 'y', width: number) {
  const axis = panel[channel];
  const values = [
    ...panel.series.flatMap((series) =>
      pointsOf(series).flatMap(({ x, y, low, high }) =>
        channel === 'x' ? [x] : [y, low, high].filter(isKnown),
      ),
    ),
    ...(axis.values ?? []),
    ...(axis.reaches ?? []),
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
      ...(axis.values === undefined
        ? { tickCount: channel === 'x' ? Math.max(3, Math.floor(width / 36)) : 5 }
        : { values: channel === 'x' ? withRoom(axis.values, domain, { width, log }) : [...axis.values] }),
    },
  } as const;
}

/** As many ticks, every one, every second, every third, as have labels that do not run into each other. */
function withRoom(
  values: readonly number[],
  [low = 0, high = 1]: readonly number[],
  { width, log }: { width: number; log: boolean },
): number[] {
  const at = (value: number): number =>
    width * (log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low));
  const half = (value: number): number => textWidth(String(value), TEXT) / 2 + 2;
  const apart = (some: readonly number[]): boolean =>
    some.every((value, i) => i === 0 || at(value) - half(value) >= at(some[i - 1]) + half(some[i - 1]));
  const every = (stride: number): number[] => values.filter((_, i) => i % stride === 0);
  let stride = 1;
  while (stride < values.length && !apart(every(stride))) stride += 1;
  return every(stride);
}
