import { haloed } from './halo.js';
import { logTicks } from './log-ticks.js';
import type { Figure } from './page.js';
import { spread } from './spread.js';
import { HOUSE_STYLE, PALETTE, QUIET, TEXT } from './style.js';
import { familyOf } from './timeline.js';

/** What an operator runs on. */
export type RoofUnit = 'NPU' | 'CPU';

export interface Roof {
  readonly unit: RoofUnit;
  /** e.g. `DMA 32 GB/s`, `matrix unit FP16`. */
  readonly name: string;
  /** Operations per second of a flat roof, or bytes per second of a slanted one. */
  readonly rate: number;
  readonly kind: 'operations' | 'bytes';
}

export interface OpClass {
  readonly unit: RoofUnit;
  readonly name: string;
  /** Two per multiply-accumulate. */
  readonly operations: number;
  readonly bytes: number;
  readonly seconds: number;
  /** Share of the step's time. */
  readonly share: number;
  /** Whether the roof above it rests on a number that nobody measured. */
  readonly assumed: boolean;
}

export interface Roofline {
  readonly title: string;
  readonly subtitle: string;
  /** e.g. `DRAM, ideal: every operand once`. */
  readonly level: string;
  readonly roofs: readonly Roof[];
  readonly classes: readonly OpClass[];
}

/** Highest performance that the roofs of a unit allow at an intensity; a kind of roof that is not known does not bind. */
export function bound(roofs: readonly Roof[], unit: RoofUnit, intensity: number): number {
  const best = (kind: Roof['kind'], scale: number): number => {
    const own = roofs.filter((roof) => roof.unit === unit && roof.kind === kind);
    return own.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...own.map(({ rate }) => rate * scale));
  };
  return Math.min(best('operations', 1), best('bytes', intensity));
}

/** Operators of one kind of work on one unit as one: seven projections of equal shape are one marker. */
function byWork(classes: readonly OpClass[]): OpClass[] {
  const groups = new Map<string, OpClass[]>();
  for (const each of classes) {
    const key = `${familyOf(each.name)} ${each.unit} ${each.assumed}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].map((own) => {
    const sum = (of: (each: OpClass) => number): number => own.reduce((total, each) => total + of(each), 0);
    const [{ name, unit, assumed }] = own;
    const work = familyOf(name);
    return {
      name: work === 'other' || work === 'head, sampling' ? `output ${name}` : work,
      unit,
      assumed,
      operations: sum(({ operations }) => operations),
      bytes: sum(({ bytes }) => bytes),
      seconds: sum(({ seconds }) => seconds),
      share: sum(({ share }) => share),
    };
  });
}

const HEIGHT = 190;
const DASH = [4, 2];

/**
 * Log-log roofline: a slanted roof per bandwidth, a flat one per unit (dashed: of the CPU), a marker per kind of work
 * joined to its bound and named with its share of the step; hollow is a roof that rests on an assumed number.
 */
export function roofline({ title, subtitle, level, roofs, classes }: Roofline): Figure {
  const points = byWork(classes).map(({ name, unit, operations, bytes, seconds, share, assumed }) => {
    const intensity = operations / bytes;
    return {
      name: `${name}${unit === 'CPU' ? ' on the CPU' : ''} ${Math.round(100 * share)} %`,
      intensity,
      reached: operations / seconds / 1e9,
      bound: bound(roofs, unit, intensity) / 1e9,
      share,
      assumed,
    };
  });
  const hollow = points.some(({ assumed }) => assumed);
  const ofNpu = (kind: Roof['kind']) =>
    Math.max(...roofs.filter((roof) => roof.unit === 'NPU' && roof.kind === kind).map(({ rate }) => rate));
  const ridge = ofNpu('operations') / ofNpu('bytes');
  const xs = [...points.map(({ intensity }) => intensity), ridge];
  const [x0, x1] = [Math.min(...xs) / 2, Math.max(...xs) * 2];
  const flat = roofs.filter(({ kind }) => kind === 'operations').map(({ rate }) => rate / 1e9);
  const ys = [...points.flatMap(({ reached, bound: best }) => [reached, best]), ...flat];
  const [y0, y1] = [Math.min(...ys) / 3, Math.max(...ys) * 2];
  const along = {
    x: (value: number): number => Math.log(value / x0) / Math.log(x1 / x0),
    y: (value: number): number => 1 - Math.log(value / y0) / Math.log(y1 / y0),
  };
  const lines = roofs.map((roof) => {
    const rate = roof.rate / 1e9;
    const ceiling = roof.kind === 'operations' ? rate : bound(roofs, roof.unit, x1) / 1e9;
    const from = roof.kind === 'operations' ? x0 : Math.max(x0, y0 / rate);
    const to = roof.kind === 'operations' ? x1 : Math.min(x1, ceiling / rate, y1 / rate);
    const y = (at: number): number => (roof.kind === 'operations' ? rate : at * rate);
    return { ...roof, x: from, y: y(from), x2: to, y2: y(to) };
  });
  return (page) => {
    const width = page.plot;
    const [domainX, domainY] = [
      [x0, x1],
      [y0, y1],
    ];
    const x = {
      type: 'quantitative',
      scale: { type: 'log', domain: domainX, nice: false },
      axis: { title: `operations per byte (${level})`, format: ',~f', values: logTicks([x0, x1]) },
    } as const;
    const y = {
      type: 'quantitative',
      scale: { type: 'log', domain: domainY, nice: false },
      axis: { title: 'billion operations per second', format: ',~f', values: logTicks([y0, y1]) },
    } as const;
    const pixel = (field: string) => ({ field, type: 'quantitative' as const, scale: null });
    // Under the markers, where no roof is: to the right of them all, joined by a thin line.
    const at = points.map((point) => ({
      ...point,
      px: width * along.x(point.intensity),
      py: HEIGHT * along.y(point.reached),
    }));
    const ys = spread(
      at.map(({ py }) => py + 6),
      TEXT + 2,
      [0, HEIGHT - 5],
    );
    const names = at.map((point, i) => {
      const left = point.px + 10;
      return { name: point.name, px: point.px, py: point.py, toX: left - 2, toY: ys[i], textX: left };
    });
    return {
      ...HOUSE_STYLE,
      title: {
        text: title,
        subtitle: `${subtitle}; percent and area: share of the step${hollow ? '; hollow: its roof rests on an assumed number' : ''}`,
      },
      width,
      height: HEIGHT,
      layer: [
        ...lines.map((line) => ({
          data: { values: [line] },
          mark: {
            type: 'rule' as const,
            strokeWidth: 1.2,
            color: PALETTE.black,
            strokeDash: line.unit === 'CPU' ? DASH : undefined,
          },
          encoding: {
            x: { ...x, field: 'x' },
            y: { ...y, field: 'y' },
            x2: { field: 'x2' },
            y2: { field: 'y2' },
          },
        })),
        ...lines.map((line) => roofName(line, { width, along })),
        {
          data: { values: [{ at: ridge, label: `ridge ${Number(ridge.toPrecision(3))}` }] },
          layer: [
            {
              mark: { type: 'rule', color: PALETTE.grey, strokeDash: [2, 2], strokeWidth: 0.6 },
              encoding: { x: { ...x, field: 'at' } },
            },
            {
              mark: { type: 'text', align: 'right', dx: -3, baseline: 'bottom', dy: -2, color: QUIET },
              encoding: { x: { ...x, field: 'at' }, y: { value: HEIGHT }, text: { field: 'label' } },
            },
          ],
        },
        {
          data: { values: at },
          mark: { type: 'rule', color: PALETTE.grey, strokeWidth: 0.8 },
          encoding: {
            x: { ...x, field: 'intensity' },
            y: { ...y, field: 'reached' },
            y2: { field: 'bound' },
          },
        },
        {
          data: { values: names },
          mark: { type: 'rule', color: '#AAAAAA', strokeWidth: 0.5 },
          encoding: {
            x: pixel('px'),
            y: pixel('py'),
            x2: { field: 'toX' },
            y2: { field: 'toY' },
          },
        },
        {
          data: { values: at },
          mark: { type: 'point', filled: true, opacity: 1, strokeWidth: 1.2, stroke: PALETTE.blue },
          encoding: {
            x: { ...x, field: 'intensity' },
            y: { ...y, field: 'reached' },
            fill: {
              condition: { test: 'datum.assumed', value: '#FFFFFF' },
              value: PALETTE.blue,
            },
            // Area is the share, which the name says in figures.
            size: {
              field: 'share',
              type: 'quantitative',
              scale: { domain: [0, 0.5], range: [8, 150] },
              legend: null,
            },
          },
        },
        ...haloed({
          data: { values: names },
          mark: { type: 'text' as const, align: 'left' as const },
          encoding: { x: pixel('textX'), y: pixel('toY'), text: { field: 'name' } },
        }),
      ],
    };
  };
}

/** A roof's name on its line: along a slanted one, above a flat one. */
function roofName(
  line: Roof & { x: number; y: number; x2: number; y2: number },
  { width, along }: { width: number; along: { x: (v: number) => number; y: (v: number) => number } },
) {
  const [fromX, fromY] = [width * along.x(line.x), HEIGHT * along.y(line.y)];
  const [toX, toY] = [width * along.x(line.x2), HEIGHT * along.y(line.y2)];
  const flat = line.kind === 'operations';
  // Of the NPU's slanted roof under it, right of the markers; of the CPU's above it, left of them.
  const under = !flat && line.unit === 'NPU';
  const share = flat ? 0 : under ? 0.8 : 0.25;
  return {
    data: {
      values: [{ name: line.name, x: fromX + share * (toX - fromX), y: fromY + share * (toY - fromY) }],
    },
    mark: {
      type: 'text' as const,
      align: flat ? ('left' as const) : ('center' as const),
      baseline: under ? ('top' as const) : ('bottom' as const),
      dy: under ? 4 : -3,
      dx: flat ? 4 : 0,
      angle: flat ? 0 : 360 + (Math.atan2(toY - fromY, toX - fromX) * 180) / Math.PI,
    },
    encoding: {
      x: { field: 'x', type: 'quantitative' as const, scale: null },
      y: { field: 'y', type: 'quantitative' as const, scale: null },
      text: { field: 'name' },
    },
  };
}
