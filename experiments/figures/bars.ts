import { formatCount } from '../studies/ladder/format.js';
import { isKnown, OURS, PAPER } from './by-source.js';
import { type DotRow, dotRows } from './dot-rows.js';
import { logTicks } from './log-ticks.js';
import { type Figure, type Page, panelColumns, rowNames } from './page.js';
import { HOUSE_STYLE, PALETTE } from './style.js';

export interface LatencyGroups {
  readonly names: readonly string[];
  /** Words and a unit. */
  readonly axis: string;
  /** One panel each. */
  readonly groups: readonly {
    readonly name: string;
    readonly ours: readonly (number | null)[];
    /** Ends of an interval around each of ours. */
    readonly low?: readonly (number | null)[];
    readonly high?: readonly (number | null)[];
    readonly paper: readonly (number | null)[];
    /** Whether a value is a prediction, so that its error is worth showing. @defaultValue all are */
    readonly predicted?: readonly boolean[];
  }[];
}

/** What was computed beside what the paper has, one row per category, value and error to the right. */
export function latencies({ names, axis, groups }: LatencyGroups): Figure {
  return (page) => {
    const columns = panelColumns(page, groups.length, 200);
    const panels = groups.map(({ name, ours, low, high, paper, predicted }) =>
      dotRows(
        {
          title: name,
          axis,
          rows: names.map(
            (value, i): DotRow => ({
              name: value,
              ours: ours[i] ?? null,
              ...(isKnown(low?.[i]) && isKnown(high?.[i]) ? { low: low[i], high: high[i] } : {}),
              paper: paper[i] ?? null,
              texts: [
                isKnown(ours[i]) ? shortNumber(ours[i]) : '',
                errorText(ours[i], (predicted?.[i] ?? true) ? paper[i] : null),
              ],
            }),
          ),
          heads: [OURS, 'error'],
          ours: OURS,
          paper: PAPER,
        },
        page,
        page.plot / columns,
      ),
    );
    return panels.length === 1
      ? { ...HOUSE_STYLE, ...panels[0] }
      : { ...HOUSE_STYLE, columns, concat: panels };
  };
}

export interface BarPanel {
  readonly title: string;
  /** Of the axis: words and a unit. */
  readonly axis: string;
  /**
   * `linear`: bars from zero. `ratio`: a logarithmic axis of factors, bars from 1. `log`: dots, as a logarithmic axis has
   * no zero. @defaultValue linear
   */
  readonly scale?: 'linear' | 'ratio' | 'log';
  readonly names: readonly string[];
  readonly values: readonly (number | null)[];
  /** Ends of an interval around each value. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
}

/** Horizontal bars of values that the paper does not have, with their intervals where they have some. */
export function bars(panels: readonly BarPanel[]): Figure {
  return (page) => {
    const columns = panelColumns(page, panels.length, 230);
    const drawn = panels.map((panel) => barPanel(panel, { page, columns }));
    return drawn.length === 1
      ? { ...HOUSE_STYLE, ...drawn[0] }
      : { ...HOUSE_STYLE, columns, spacing: 14, concat: drawn };
  };
}

function barPanel(
  { title, axis, scale = 'linear', names, values, low, high }: BarPanel,
  { page, columns }: { readonly page: Page; readonly columns: number },
) {
  const width = page.plot / columns;
  const shown = rowNames(names, page, columns);
  const base = scale === 'ratio' ? 1 : 0;
  const rows = shown.texts.map((name, i) => {
    const [value, from, to] = [values[i] ?? null, low?.[i] ?? null, high?.[i] ?? null];
    const ends = [value, from, to].filter(isKnown);
    return {
      name,
      value,
      base,
      low: from,
      high: to,
      // Behind the bar and its interval; of a bar to the left, behind the axis.
      labelAt: scale === 'log' ? Math.max(...ends) : Math.max(...ends, base),
      label: value === null ? 'no value' : `${shortNumber(value)}${scale === 'ratio' ? '\u00d7' : ''}`,
    };
  });
  const known = rows.flatMap((row) => [row.value, row.low, row.high]).filter(isKnown);
  const domain =
    scale === 'linear'
      ? undefined
      : [Math.min(...known, ...(scale === 'ratio' ? [1] : [])) / 1.1, Math.max(...known, 1) * 1.1];
  const linear = { zero: true } as const;
  const x = {
    field: 'value',
    type: 'quantitative',
    scale: domain === undefined ? linear : ({ type: 'log', domain, nice: false } as const),
    axis: {
      title: axis,
      grid: scale !== 'linear',
      ...(domain === undefined
        ? { tickCount: Math.max(2, Math.floor(width / 45)) }
        : { values: few(ratioTicks(domain), width / 22), format: ',~r' }),
    },
  } as const;
  return {
    title,
    width,
    height: { step: shown.step },
    data: { values: rows },
    encoding: {
      y: {
        field: 'name',
        type: 'nominal' as const,
        sort: null,
        axis: { title: null, ticks: false, ...shown.axis },
      },
    },
    layer: [
      scale === 'log'
        ? {
            transform: [{ filter: 'datum.value !== null' }],
            mark: { type: 'point' as const, filled: true, size: 28, opacity: 1, color: PALETTE.blue },
            encoding: { x },
          }
        : {
            transform: [{ filter: 'datum.value !== null' }],
            // Pale enough that an interval shows on it, in grey too.
            mark: { type: 'bar' as const, height: 8, color: BAR },
            encoding: { x, x2: { field: 'base' } },
          },
      ...(rows.some((row) => row.low !== null)
        ? [
            {
              transform: [{ filter: 'datum.low !== null && datum.high !== null' }],
              mark: { type: 'rule' as const, strokeWidth: 1, color: PALETTE.black },
              encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' } },
            },
            ...(['low', 'high'] as const).map((field) => ({
              transform: [{ filter: 'datum.low !== null && datum.high !== null' }],
              mark: { type: 'tick' as const, thickness: 1, height: 6, color: PALETTE.black },
              encoding: { x: { ...x, field } },
            })),
          ]
        : []),
      ...(scale === 'ratio'
        ? [
            {
              data: { values: [{ at: 1 }] },
              mark: { type: 'rule' as const, strokeWidth: 0.8, color: PALETTE.black },
              encoding: { x: { ...x, field: 'at' }, y: { value: 0 }, y2: { value: 'height' as const } },
            },
          ]
        : []),
      {
        mark: { type: 'text' as const, align: 'left' as const, dx: 4 },
        encoding: { x: { ...x, field: 'labelAt' }, text: { field: 'label' } },
      },
    ],
  };
}

const BAR = '#7DBDE8';

/** Ticks of a logarithmic axis of factors, closer together than powers of ten where it is short. */
function ratioTicks(domain: readonly number[]): number[] {
  const ticks = logTicks(domain);
  if (ticks.length > 1) return ticks;
  return [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3].filter(
    (tick) => tick >= (domain[0] ?? 0) && tick <= (domain[1] ?? 0),
  );
}

function few(ticks: readonly number[], most: number): number[] {
  const every = Math.ceil(ticks.length / Math.max(1, most));
  const one = Math.max(0, ticks.indexOf(1));
  return ticks.filter((_, i) => (i - one) % every === 0);
}

/** `−10 %`; nothing where there is no error to show. */
function errorText(ours: number | null | undefined, paper: number | null | undefined): string {
  if (!isKnown(ours) || !isKnown(paper) || paper === 0) return '';
  const percent = Math.round((ours / paper - 1) * 100);
  return `${percent > 0 ? '+' : percent < 0 ? '\u2212' : ''}${Math.abs(percent)} %`;
}

/** Three digits, zeros at the end among them, or all digits before the point. */
function shortNumber(value: number): string {
  const size = Math.abs(value);
  const text =
    size >= 1000
      ? formatCount(value)
      : size < 0.001
        ? String(Number(value.toPrecision(3)))
        : value.toPrecision(3);
  return text.replace('-', '\u2212');
}
