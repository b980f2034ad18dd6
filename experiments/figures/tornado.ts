import type { TopLevelSpec } from 'vega-lite';
import { COLUMN_AND_HALF, HOUSE_STYLE, PALETTE } from './style.js';

export interface TornadoRow {
  readonly name: string;
  /** What the low and the high end are, e.g. `16`, `1528`. */
  readonly lowText: string;
  readonly highText: string;
  readonly atLow: number;
  readonly atHigh: number;
}

const WIDTH = COLUMN_AND_HALF - 60;
const LOW = 'low end';
const HIGH = 'high end';

/**
 * Texts of the two ends. Where both lie on one side the farther one has both, the nearer first, and its bar is drawn
 * first: the nearer would be written over it.
 */
function labels({ lowText, highText, atLow, atHigh }: TornadoRow, base: number): [low: string, high: string] {
  const [a, b] = [atLow - base, atHigh - base];
  if (a * b <= 0) return [lowText, highText];
  return Math.abs(a) > Math.abs(b) ? [`${highText}, ${lowText}`, ''] : ['', `${lowText}, ${highText}`];
}

/** Pixels of a character of a label, and around it. */
const CHARACTER = 4.5;
const AROUND = 12;

/** Range of the axis in which every label has room beside its bar. */
function roomFor(
  ends: readonly { readonly from: number; readonly to: number; readonly label: string }[],
  base: number,
): [number, number] {
  let [low, high] = [
    Math.min(base, ...ends.map(({ to }) => to)),
    Math.max(base, ...ends.map(({ to }) => to)),
  ];
  if (low === high) return [low - 1, high + 1];
  // The room a label takes depends on the range, which depends on the room: a few rounds settle it.
  for (let round = 0; round < 6; round++) {
    const perPixel = (high - low) / WIDTH;
    const room = ({ label }: { label: string }) => (label.length * CHARACTER + AROUND) * perPixel;
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
  titles: { readonly title: string; readonly x: string },
): TopLevelSpec {
  const width = (row: TornadoRow): number =>
    Math.max(row.atLow, row.atHigh, base) - Math.min(row.atLow, row.atHigh, base);
  const sorted = [...rows].sort((a, b) => width(b) - width(a));
  const values = sorted.flatMap((row) => {
    const [low, high] = labels(row, base);
    const ends = [
      { name: row.name, end: LOW, from: base, to: row.atLow, label: low },
      { name: row.name, end: HIGH, from: base, to: row.atHigh, label: high },
    ];
    return ends.sort((one, other) => Math.abs(other.to - base) - Math.abs(one.to - base));
  });
  const domain = roomFor(values, base);
  const x = {
    type: 'quantitative',
    scale: { domain, nice: false, zero: false },
    axis: { title: titles.x, tickCount: 6 },
  } as const;
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    axis: { title: null, ticks: false, domain: false, labelLimit: 0 },
  } as const;
  const label = (side: 'left' | 'right') => ({
    transform: [{ filter: side === 'left' ? 'datum.to < datum.from' : 'datum.to > datum.from' }],
    mark: {
      type: 'text' as const,
      align: side === 'left' ? ('right' as const) : ('left' as const),
      dx: side === 'left' ? -4 : 4,
      fontSize: 8,
    },
    encoding: { y, x: { ...x, field: 'to' }, text: { field: 'label' } },
  });
  return {
    ...HOUSE_STYLE,
    title: titles.title,
    width: WIDTH,
    height: { step: 18 },
    data: { values },
    layer: [
      {
        mark: { type: 'bar', height: 11 },
        encoding: {
          y,
          x: { ...x, field: 'from' },
          x2: { field: 'to' },
          color: {
            field: 'end',
            type: 'nominal',
            scale: { domain: [LOW, HIGH], range: [PALETTE.sky, PALETTE.blue] },
            legend: { title: null, orient: 'bottom', symbolType: 'square' },
          },
        },
      },
      {
        data: { values: [{ base }] },
        mark: { type: 'rule', color: PALETTE.black },
        encoding: { x: { ...x, field: 'base' } },
      },
      label('left'),
      label('right'),
    ],
  };
}
