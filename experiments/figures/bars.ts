import type { TopLevelSpec } from 'vega-lite';
import { formatCount } from '../studies/ladder/format.js';
import { bySource, isKnown, OURS, PAPER } from './by-source.js';
import { logTicks } from './log-ticks.js';
import { HOUSE_STYLE, PAGE_WIDTH, PALETTE } from './style.js';

export interface BarGroups {
  readonly category: { readonly title: string | null; readonly values: readonly string[] };
  readonly unit: string;
  readonly scale: 'linear' | 'log';
  /** One panel each. */
  readonly groups: readonly {
    readonly name: string;
    readonly ours: readonly (number | null)[];
    readonly paper: readonly (number | null)[];
    /** Whether a value is a prediction, so that its error is worth showing. @defaultValue all are */
    readonly predicted?: readonly boolean[];
  }[];
}

/**
 * Bars of what was computed, the paper's values as diamonds on the same category, the value and its error above.
 * Bars on a logarithmic axis start at the axis: only their upper ends are data.
 */
export function latencyBars({ category, unit, scale, groups }: BarGroups): TopLevelSpec {
  const all = groups.flatMap((group) => [...group.ours, ...group.paper]).filter(isKnown);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const domain = scale === 'log' ? [10 ** Math.floor(Math.log10(low) - 0.1), high * 2.6] : [0, high * 1.25];
  const width = Math.floor((PAGE_WIDTH - 70) / groups.length) - 40;
  return {
    ...HOUSE_STYLE,
    hconcat: groups.map((group, panel) => {
      const values = category.values.map((name, i) => {
        const ours = group.ours[i] ?? null;
        const paper = group.paper[i] ?? null;
        return {
          name,
          ours,
          paper,
          low: domain[0],
          label: label(ours, (group.predicted?.[i] ?? true) ? paper : null),
        };
      });
      const x = {
        field: 'name',
        type: 'nominal',
        sort: null,
        axis: { title: category.title, labelAngle: 0, ticks: false },
        scale: { paddingInner: 0.45, paddingOuter: 0.3 },
      } as const;
      const y = {
        field: 'ours',
        type: 'quantitative',
        scale: { type: scale, domain, nice: false },
        axis: {
          title: panel === 0 ? unit : null,
          ...(scale === 'log' ? { format: ',~f', values: logTicks(domain) } : { tickCount: 5 }),
        },
      } as const;
      return {
        title: group.name,
        width,
        height: 180,
        data: { values },
        layer: [
          {
            transform: [{ calculate: `'${OURS}'`, as: 'source' }],
            mark: { type: 'bar' },
            encoding: { x, y, y2: { field: 'low' }, color: bySource('square') },
          },
          {
            // A white rim where the diamond lies on the bar.
            transform: [{ filter: 'datum.paper !== null' }],
            mark: { type: 'point', shape: 'diamond', filled: true, size: 150, opacity: 1, color: 'white' },
            encoding: { x, y: { ...y, field: 'paper' } },
          },
          {
            transform: [{ filter: 'datum.paper !== null' }, { calculate: `'${PAPER}'`, as: 'source' }],
            mark: { type: 'point', shape: 'diamond', filled: true, size: 70, opacity: 1 },
            encoding: { x, y: { ...y, field: 'paper' }, color: bySource('square') },
          },
          {
            transform: [{ calculate: 'max(datum.ours, datum.paper)', as: 'top' }],
            mark: { type: 'text', dy: -20, lineHeight: 11, lineBreak: '\n' },
            encoding: { x, y: { ...y, field: 'top' }, text: { field: 'label' } },
          },
        ],
      };
    }),
  };
}

export interface BarPanel {
  readonly title: string;
  readonly unit: string;
  readonly names: readonly string[];
  readonly values: readonly (number | null)[];
  /** Ends of an interval around each value. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
}

/** Horizontal bars of values that the paper does not have, with their intervals where they have some. */
export function bars(panels: readonly BarPanel[]): TopLevelSpec {
  const longest = Math.max(...panels.flatMap(({ names }) => names.map((name) => name.length)));
  const width = Math.max(90, Math.floor(PAGE_WIDTH / panels.length) - 60 - Math.round(5.4 * longest));
  return {
    ...HOUSE_STYLE,
    hconcat: panels.map(({ title, unit, names, values, low, high }) => ({
      title,
      width,
      height: { step: 18 },
      data: {
        values: names.map((name, i) => ({
          name,
          value: values[i],
          low: low?.[i] ?? null,
          high: high?.[i] ?? null,
          // Behind the bar and its interval; of a bar to the left, behind the axis.
          labelAt: Math.max(values[i] ?? 0, high?.[i] ?? 0, 0),
          label: shortNumber(values[i] ?? 0),
        })),
      },
      encoding: {
        y: { field: 'name', type: 'nominal', sort: null, axis: { title: null, ticks: false, labelLimit: 0 } },
        x: {
          field: 'value',
          type: 'quantitative',
          axis: { title: unit, tickCount: width < 150 ? 3 : 4, grid: false },
        },
      },
      layer: [
        { mark: { type: 'bar', height: 11, color: PALETTE.blue } },
        ...(low === undefined || high === undefined
          ? []
          : [
              {
                mark: { type: 'rule' as const, strokeWidth: 1.4, color: PALETTE.black },
                encoding: { x: { field: 'low', type: 'quantitative' as const }, x2: { field: 'high' } },
              },
            ]),
        {
          mark: { type: 'text', align: 'left', dx: 4 },
          encoding: { x: { field: 'labelAt', type: 'quantitative' }, text: { field: 'label' } },
        },
      ],
    })),
  };
}

/** `433` and, where there is an error to show, `−10 %` under it. */
function label(ours: number | null, paper: number | null): string {
  if (ours === null) return '';
  const value = shortNumber(ours);
  if (paper === null || paper === 0) return `\n${value}`;
  const percent = Math.round((ours / paper - 1) * 100);
  return `${value}\n${percent > 0 ? '+' : percent < 0 ? '\u2212' : ''}${Math.abs(percent)} %`;
}

/** Three digits, or all digits before the point. */
function shortNumber(value: number): string {
  return Math.abs(value) >= 1000 ? formatCount(value) : value.toPrecision(3);
}
