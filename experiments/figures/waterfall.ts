import { roomyLogTicks } from './log-ticks.js';
import { type Figure, rowNames } from './page.js';
import { HOUSE_STYLE, PALETTE } from './style.js';

export interface WaterfallRow {
  readonly name: string;
  /** Seconds with everything up to and including this row. */
  readonly seconds: number;
  /** Ends of an interval around them. */
  readonly low?: number;
  readonly high?: number;
}

/**
 * What each technique takes off (or puts on): an arrow per row from the seconds before to the seconds after, on a
 * logarithmic axis, where equal factors have equal lengths. No bars: that axis has no zero for them to start at.
 */
export function waterfall(
  rows: readonly WaterfallRow[],
  titles: { readonly title: string; readonly subtitle?: string },
): Figure {
  const steps = rows.map(({ name, seconds, low, high }, at) => {
    const before = at === 0 ? null : (rows[at - 1]?.seconds ?? null);
    return {
      name,
      from: before,
      to: seconds,
      low: low ?? null,
      high: high ?? null,
      sign: before === null ? 'start' : seconds <= before ? 'faster' : 'slower',
      label: before === null ? `${short(seconds)} s` : `${factor(before / seconds)}, ${short(seconds)} s`,
      right: Math.max(before ?? seconds, seconds, high ?? seconds),
    };
  });
  const all = rows.flatMap(({ seconds, low, high }) => [seconds, low ?? seconds, high ?? seconds]);
  const domain: [number, number] = [Math.min(...all) / 1.6, Math.max(...all) * 1.3];
  return (page) => {
    const x = {
      type: 'quantitative',
      scale: { type: 'log', domain, nice: false },
      axis: { title: 'seconds for one answer', format: ',~f', values: roomyLogTicks(domain, page.plot) },
    } as const;
    const names = rowNames(
      rows.map(({ name }) => name),
      page,
    );
    const y = {
      field: 'name',
      type: 'nominal',
      // The first layer leaves out the first row, and must not order the axis.
      scale: { domain: names.texts },
      axis: { title: null, ticks: false, domain: false, labelPadding: 5, ...names.axis },
    } as const;
    const head = (sign: 'faster' | 'slower') => ({
      transform: [{ filter: `datum.sign === '${sign}'` }],
      mark: {
        type: 'point' as const,
        shape: sign === 'faster' ? 'triangle-left' : 'triangle-right',
        filled: true,
        size: 34,
        opacity: 1,
        color: sign === 'faster' ? PALETTE.blue : PALETTE.vermilion,
      },
      encoding: { y, x: { ...x, field: 'to' } },
    });
    return {
      ...HOUSE_STYLE,
      title: { text: titles.title, ...(titles.subtitle === undefined ? {} : { subtitle: titles.subtitle }) },
      width: page.plot,
      height: { step: names.step + 3 },
      data: { values: steps.map((step, i) => ({ ...step, name: names.texts[i] })) },
      layer: [
        {
          transform: [{ filter: 'datum.from !== null' }],
          mark: { type: 'rule', strokeWidth: 1.2, color: PALETTE.grey },
          encoding: { y, x: { ...x, field: 'from' }, x2: { field: 'to' } },
        },
        ...(steps.some(({ low }) => low !== null)
          ? [
              {
                transform: [{ filter: 'datum.low !== null' }],
                mark: { type: 'rule' as const, strokeWidth: 1, color: PALETTE.black, yOffset: 4 },
                encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
              },
            ]
          : []),
        {
          transform: [{ filter: "datum.sign === 'start'" }],
          mark: { type: 'point', shape: 'circle', filled: true, size: 30, opacity: 1, color: PALETTE.black },
          encoding: { y, x: { ...x, field: 'to' } },
        },
        ...(['faster', 'slower'] as const)
          .filter((sign) => steps.some((step) => step.sign === sign))
          .map(head),
        {
          mark: { type: 'text', align: 'left', dx: 6 },
          encoding: { y, x: { ...x, field: 'right' }, text: { field: 'label' } },
        },
      ],
    };
  };
}

/** `2.50× faster`, `1.10× slower`. */
function factor(gain: number): string {
  return gain >= 1 ? `${gain.toFixed(2)}\u00d7 faster` : `${(1 / gain).toFixed(2)}\u00d7 slower`;
}

const short = (value: number): string => (value >= 1000 ? value.toFixed(0) : value.toPrecision(3));
