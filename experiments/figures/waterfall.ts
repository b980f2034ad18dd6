import type { TopLevelSpec } from 'vega-lite';
import { logTicks } from './log-ticks.js';
import { COLUMN_AND_HALF, HOUSE_STYLE, PALETTE } from './style.js';

export interface WaterfallRow {
  readonly name: string;
  /** Seconds with everything up to and including this row. */
  readonly seconds: number;
}

/**
 * What each technique takes off (or puts on): one floating bar per row from the seconds before to the seconds after,
 * on a logarithmic axis so that equal factors have equal lengths. The first row is the start, the last one the total.
 */
export function waterfall(rows: readonly WaterfallRow[], title: string): TopLevelSpec {
  const steps = rows.map(({ name, seconds }, at) => {
    const before = at === 0 ? null : (rows[at - 1]?.seconds ?? null);
    const factor = before === null ? null : before / seconds;
    return {
      name,
      from: before ?? seconds,
      to: seconds,
      kind: factor === null ? 'start' : factor >= 1 ? 'faster' : 'slower',
      label: factor === null ? `${short(seconds)} s` : `${factor.toFixed(2)}\u00d7, ${short(seconds)} s`,
      left: Math.min(before ?? seconds, seconds),
      right: Math.max(before ?? seconds, seconds),
    };
  });
  const low = Math.min(...rows.map(({ seconds }) => seconds));
  const high = Math.max(...rows.map(({ seconds }) => seconds));
  const domain = [low / 1.6, high * 2.4];
  const slower = steps.some(({ kind }) => kind === 'slower');
  const names = rows.map(({ name }) => name);
  const y = {
    field: 'name',
    type: 'nominal',
    // The first layer leaves out the first row, and must not order the axis.
    scale: { domain: names },
    axis: { title: null, ticks: false, domain: false, labelLimit: 0 },
  } as const;
  const x = {
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    axis: { title: 'seconds for one answer', format: ',~f', values: logTicks(domain) },
  } as const;
  return {
    ...HOUSE_STYLE,
    title,
    width: COLUMN_AND_HALF,
    height: { step: 22 },
    data: { values: steps },
    layer: [
      {
        transform: [{ filter: "datum.kind !== 'start'" }],
        mark: { type: 'bar', height: 12 },
        encoding: {
          y,
          x: { ...x, field: 'left' },
          x2: { field: 'right' },
          color: {
            field: 'kind',
            type: 'nominal',
            scale: { domain: ['faster', 'slower'], range: [PALETTE.sky, PALETTE.vermilion] },
            // A legend that names a colour which is nowhere would make a reader look for it.
            legend: slower ? { title: null, orient: 'bottom', symbolType: 'square' } : null,
          },
        },
      },
      {
        mark: { type: 'tick', thickness: 2, height: 16, color: PALETTE.black },
        encoding: { y, x: { ...x, field: 'to' } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6 },
        encoding: { y, x: { ...x, field: 'right' }, text: { field: 'label' } },
      },
    ],
  };
}

const short = (value: number): string => String(Number(value.toPrecision(3)));
