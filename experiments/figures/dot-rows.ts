import { isKnown } from './by-source.js';
import { roomyLogTicks } from './log-ticks.js';
import { legendBelow, type Page, rowNames } from './page.js';
import { PALETTE, QUIET, TEXT } from './style.js';
import { textWidth } from './text-width.js';

export interface DotRow {
  readonly name: string;
  readonly ours: number | null;
  /** Ends of an interval around it. */
  readonly low?: number;
  readonly high?: number;
  readonly paper: number | null;
  /** What stands to the right, one text per head. */
  readonly texts: readonly string[];
}

export interface DotPanel {
  readonly title?: string;
  /** Of the axis: words and a unit. */
  readonly axis: string;
  readonly rows: readonly DotRow[];
  /** Heads of the columns of text. */
  readonly heads: readonly string[];
  /** What the two signs are. */
  readonly ours: string;
  readonly paper: string;
}

const COLUMN_GAP = 8;

/**
 * One row per thing on a logarithmic axis: a dot with its interval for what was computed, a diamond for what was
 * published, texts to the right. Dots, not bars: a logarithmic axis has no zero for a bar to start at.
 */
export function dotRows(panel: DotPanel, page: Page, width: number) {
  const { rows, heads } = panel;
  const names = rowNames(
    rows.map(({ name }) => name),
    page,
  );
  const data = rows.map(({ texts, ...row }, at) => ({
    ...row,
    name: names.texts[at],
    low: row.low ?? null,
    high: row.high ?? null,
    says: said(row, panel),
    ...Object.fromEntries(texts.map((text, i) => [`text${i}`, text])),
  }));
  const values = rows.flatMap(({ ours, low, high, paper }) => [ours, low, high, paper]).filter(isKnown);
  const domain: [number, number] = [Math.min(...values) / 1.5, Math.max(...values) * 1.5];
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    axis: {
      title: null,
      ticks: false,
      domain: false,
      grid: true,
      labelPadding: 5,
      ...names.axis,
    },
  } as const;
  const x = {
    field: 'ours',
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    axis: { title: panel.axis, values: roomyLogTicks(domain, width), format: ',~f' },
  } as const;
  const hasPaper = rows.some(({ paper }) => isKnown(paper));
  const hasInterval = rows.some(({ low }) => isKnown(low));
  const color = (series: string) =>
    ({
      datum: series,
      type: 'nominal',
      scale: { domain: [panel.ours, panel.paper], range: [PALETTE.blue, PALETTE.vermilion] },
      legend: hasPaper
        ? {
            ...legendBelow(page, [panel.ours, panel.paper]),
            encoding: {
              symbols: {
                opacity: { value: 1 },
                shape: {
                  value: { expr: `datum.label === ${JSON.stringify(panel.paper)} ? 'diamond' : 'circle'` },
                },
              },
            },
          }
        : null,
    }) as const;
  let right = width;
  const columns = heads.map((head, i) => {
    const widest = Math.max(
      ...[head, ...rows.map(({ texts }) => texts[i] ?? '')].map((t) => textWidth(t, TEXT)),
    );
    right += widest + COLUMN_GAP;
    return right;
  });
  return {
    ...(panel.title === undefined ? {} : { title: panel.title }),
    width,
    height: { step: names.step + 1 },
    data: { values: data },
    layer: [
      ...(hasInterval
        ? [
            {
              transform: [{ filter: 'datum.low !== null' }],
              mark: { type: 'rule' as const, strokeWidth: 1, color: PALETTE.black },
              encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
            },
          ]
        : []),
      {
        transform: [{ filter: 'datum.ours !== null' }],
        mark: { type: 'point' as const, shape: 'circle', filled: true, size: 34, opacity: 1, aria: true },
        encoding: { description: { field: 'says' }, y, x, color: color(panel.ours) },
      },
      ...(hasPaper
        ? [
            {
              // A white rim where the diamond lies on the dot.
              transform: [{ filter: 'datum.paper !== null' }],
              mark: {
                type: 'point' as const,
                shape: 'diamond',
                filled: true,
                size: 48,
                opacity: 1,
                color: '#FFFFFF',
              },
              encoding: { y, x: { ...x, field: 'paper' } },
            },
            {
              transform: [{ filter: 'datum.paper !== null' }],
              mark: { type: 'point' as const, shape: 'diamond', filled: true, size: 26, opacity: 1 },
              encoding: { y, x: { ...x, field: 'paper' }, color: color(panel.paper) },
            },
          ]
        : []),
      ...heads.map((_, i) => ({
        mark: { type: 'text' as const, align: 'right' as const },
        encoding: { y, x: { value: columns[i] }, text: { field: `text${i}` } },
      })),
      ...heads.map((head, i) => ({
        data: { values: [{}] },
        mark: { type: 'text' as const, align: 'right' as const, baseline: 'bottom' as const, color: QUIET },
        encoding: { text: { value: head }, x: { value: columns[i] }, y: { value: -2 } },
      })),
    ],
  };
}

/** What a dot is, for a pointer and for a screen reader. */
function said(
  { name, ours, low, high, paper }: Omit<DotRow, 'texts'>,
  { axis, paper: theirs }: DotPanel,
): string {
  const digits = (value: number): string => String(Number(value.toPrecision(4)));
  return [
    `${name}: ${ours === null ? 'no value' : digits(ours)}`,
    ...(isKnown(low) && isKnown(high) ? [`interval ${digits(low)} to ${digits(high)}`] : []),
    ...(isKnown(paper) ? [`${theirs} ${digits(paper)}`] : []),
    axis,
  ].join('; ');
}
