import { type Figure, legendBelow, rowNames } from './page.js';
import { HOUSE_STYLE, PALETTE, TEXT } from './style.js';
import { textWidth, wrapped } from './text-width.js';

export interface TornadoRow {
  readonly name: string;
  /** What the low and the high end are, e.g. `16`, `1528`. */
  readonly lowText: string;
  readonly highText: string;
  readonly atLow: number;
  readonly atHigh: number;
}

const LOW = 'low end of the range';
const HIGH = 'high end of the range';

/**
 * Texts of the two ends. Where both lie on one side the farther one has both, the nearer first, and its bar is drawn
 * first: the nearer would be written over it.
 */
function labels({ lowText, highText, atLow, atHigh }: TornadoRow, base: number): [low: string, high: string] {
  const [a, b] = [atLow - base, atHigh - base];
  if (a * b <= 0) return [lowText, highText];
  return Math.abs(a) > Math.abs(b) ? [`${highText}, ${lowText}`, ''] : ['', `${lowText}, ${highText}`];
}

/** Height of a line of a label. */
const LINE = 9;
/** Room around a label. */
const AROUND = 8;

const widest = (label: string): number => Math.max(...label.split('\n').map((line) => textWidth(line, TEXT)));

/** Range of the axis in which every label has room beside its bar. */
function roomFor(
  ends: readonly { readonly from: number; readonly to: number; readonly label: string }[],
  base: number,
  width: number,
): [number, number] {
  let [low, high] = [
    Math.min(base, ...ends.map(({ to }) => to)),
    Math.max(base, ...ends.map(({ to }) => to)),
  ];
  if (low === high) return [low - 1, high + 1];
  // The room a label takes depends on the range, which depends on the room: a few rounds settle it.
  for (let round = 0; round < 6; round++) {
    const perPixel = (high - low) / width;
    const room = ({ label }: { label: string }) => (label === '' ? 2 : widest(label) + AROUND) * perPixel;
    low = Math.min(
      ...ends.map((end) => (end.to < end.from ? end.to - room(end) : Math.min(end.to, base - 8 * perPixel))),
    );
    high = Math.max(
      ...ends.map((end) => (end.to > end.from ? end.to + room(end) : Math.max(end.to, base + 8 * perPixel))),
    );
  }
  return [low, high];
}

/** Results at both ends of each parameter around the result at the defaults, longest bar on top. */
export function tornado(
  rows: readonly TornadoRow[],
  base: number,
  titles: { readonly title: string; readonly subtitle?: string; readonly x: string },
): Figure {
  const length = (row: TornadoRow): number =>
    Math.max(row.atLow, row.atHigh, base) - Math.min(row.atLow, row.atHigh, base);
  const sorted = [...rows].sort((a, b) => length(b) - length(a));
  const ends = sorted.flatMap((row) => {
    const [low, high] = labels(row, base);
    const two = [
      { name: row.name, end: LOW, from: base, to: row.atLow, label: low },
      { name: row.name, end: HIGH, from: base, to: row.atHigh, label: high },
    ];
    return two.sort((one, other) => Math.abs(other.to - base) - Math.abs(one.to - base));
  });
  return (page) => {
    const names = rowNames(
      sorted.map(({ name }) => name),
      page,
    );
    // Two labels and the bars between them share the plot.
    const values = ends.map((end) => ({
      ...end,
      label: wrapped(end.label, Math.max(40, page.plot * 0.4), TEXT).join('\n'),
    }));
    const lines = Math.max(...values.map(({ label }) => label.split('\n').length));
    const shown = new Map(sorted.map(({ name }, i) => [name, names.texts[i]]));
    const y = {
      field: 'name',
      type: 'nominal',
      sort: null,
      axis: { title: null, ticks: false, domain: false, labelPadding: 5, ...names.axis },
    } as const;
    const x = {
      type: 'quantitative',
      scale: { domain: roomFor(values, base, page.plot), nice: false, zero: false },
      axis: { title: titles.x, tickCount: Math.max(3, Math.floor(page.plot / 45)) },
    } as const;
    const label = (side: 'left' | 'right') => ({
      transform: [{ filter: side === 'left' ? 'datum.to < datum.from' : 'datum.to > datum.from' }],
      mark: {
        type: 'text' as const,
        align: side === 'left' ? ('right' as const) : ('left' as const),
        dx: side === 'left' ? -3 : 3,
        baseline: 'middle' as const,
        lineBreak: '\n',
        lineHeight: LINE,
      },
      encoding: { y, x: { ...x, field: 'to' }, text: { field: 'label' } },
    });
    return {
      ...HOUSE_STYLE,
      title: { text: titles.title, ...(titles.subtitle === undefined ? {} : { subtitle: titles.subtitle }) },
      width: page.plot,
      height: { step: Math.max(names.step, 3 + LINE * lines) },
      data: { values: values.map((value) => ({ ...value, name: shown.get(value.name) })) },
      layer: [
        {
          mark: { type: 'bar', height: 8 },
          encoding: {
            y,
            x: { ...x, field: 'from' },
            x2: { field: 'to' },
            color: {
              field: 'end',
              type: 'nominal',
              scale: { domain: [LOW, HIGH], range: [PALETTE.sky, PALETTE.blue] },
              legend: { ...legendBelow(page, [LOW, HIGH]), symbolType: 'square' },
            },
          },
        },
        {
          data: { values: [{ base }] },
          mark: { type: 'rule', color: PALETTE.black, strokeWidth: 0.8 },
          encoding: { x: { ...x, field: 'base' } },
        },
        label('left'),
        label('right'),
      ],
    };
  };
}
