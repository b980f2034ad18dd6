import type { TopLevelSpec } from 'vega-lite';
import { logTicks } from './log-ticks.js';
import { COLUMN_AND_HALF, HOUSE_STYLE, PALETTE } from './style.js';

export interface Roof {
  /** e.g. `DMA 32 GB/s`, `matrix unit FP16`. */
  readonly name: string;
  /** Operations per second of a flat roof, or bytes per second of a slanted one. */
  readonly rate: number;
  readonly kind: 'operations' | 'bytes';
}

export interface OpClass {
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

const MEASURED = 'roof measured or published';
const ASSUMED = 'roof assumed';

/** Highest performance that the roofs allow at an intensity. */
export function bound(roofs: readonly Roof[], intensity: number): number {
  const best = (kind: Roof['kind'], scale: number): number =>
    Math.max(...roofs.filter((roof) => roof.kind === kind).map(({ rate }) => rate * scale));
  return Math.min(best('operations', 1), best('bytes', intensity));
}

/**
 * Log-log roofline: a slanted roof per bandwidth, a flat one per unit, a marker per class of operators joined to its
 * bound; area is the share of the step's time, hollow is a roof that rests on an assumed number.
 */
export function roofline({ title, subtitle, level, roofs, classes }: Roofline): TopLevelSpec {
  const points = classes.map(({ name, operations, bytes, seconds, share, assumed }) => {
    const intensity = operations / bytes;
    return {
      name,
      intensity,
      reached: operations / seconds / 1e9,
      bound: bound(roofs, intensity) / 1e9,
      share,
      evidence: assumed ? ASSUMED : MEASURED,
    };
  });
  const hollow = points.some(({ evidence }) => evidence === ASSUMED);
  const ridge =
    Math.max(...roofs.filter((roof) => roof.kind === 'operations').map(({ rate }) => rate)) /
    Math.max(...roofs.filter((roof) => roof.kind === 'bytes').map(({ rate }) => rate));
  const xs = [...points.map(({ intensity }) => intensity), ridge];
  const x0 = Math.min(...xs) / 3;
  const x1 = Math.max(...xs) * 4;
  const tops = roofs.map((roof) => (roof.kind === 'bytes' ? roof.rate * x0 : roof.rate) / 1e9);
  const ys = [...points.flatMap(({ reached, bound: best }) => [reached, best]), ...tops.filter((v) => v > 0)];
  const y0 = Math.min(...ys) / 2;
  const y1 = Math.max(...ys) * 2.2;
  const [domainX, domainY] = [
    [x0, x1],
    [y0, y1],
  ];
  const x = {
    type: 'quantitative',
    scale: { type: 'log', domain: domainX, nice: false },
    axis: { title: `operations per byte (${level})`, format: ',~f', values: logTicks(domainX) },
  } as const;
  const y = {
    type: 'quantitative',
    scale: { type: 'log', domain: domainY, nice: false },
    axis: { title: 'Gop/s', format: ',~f', values: logTicks(domainY) },
  } as const;
  const limit = bound(roofs, x1) / 1e9;
  const lines = roofs.map((roof) =>
    roof.kind === 'operations'
      ? { name: roof.name, x: x0, y: roof.rate / 1e9, x2: x1, y2: roof.rate / 1e9 }
      : slanted(roof, { x0, x1, y0, top: limit }),
  );
  return {
    ...HOUSE_STYLE,
    title: {
      text: title,
      subtitle: hollow ? `${subtitle}; hollow: its roof rests on an assumed number` : subtitle,
    },
    width: COLUMN_AND_HALF,
    height: 300,
    layer: [
      {
        data: { values: lines },
        mark: { type: 'rule', strokeWidth: 1.6, color: PALETTE.black },
        encoding: {
          x: { ...x, field: 'x' },
          y: { ...y, field: 'y' },
          x2: { field: 'x2' },
          y2: { field: 'y2' },
        },
      },
      ...lines.map((line, at) => roofName(line, roofs[at]?.kind ?? 'operations', { x, y })),
      {
        data: { values: [{ at: ridge, label: `ridge ${Number(ridge.toPrecision(3))} op/B` }] },
        layer: [
          {
            mark: { type: 'rule', color: PALETTE.grey, strokeDash: [3, 3] },
            encoding: { x: { ...x, field: 'at' } },
          },
          {
            mark: { type: 'text', align: 'left', dx: 4, baseline: 'bottom', dy: -3, color: '#555555' },
            encoding: { x: { ...x, field: 'at' }, y: { value: 300 }, text: { field: 'label' } },
          },
        ],
      },
      {
        data: { values: points },
        mark: { type: 'rule', color: PALETTE.grey, strokeWidth: 0.8 },
        encoding: { x: { ...x, field: 'intensity' }, y: { ...y, field: 'reached' }, y2: { field: 'bound' } },
      },
      ...[MEASURED, ASSUMED].map((evidence) => ({
        data: { values: points.filter((point) => point.evidence === evidence) },
        mark: {
          type: 'point' as const,
          filled: evidence === MEASURED,
          opacity: 1,
          strokeWidth: 1.6,
          ...(evidence === ASSUMED ? { fill: '#FFFFFF' } : {}),
          color: PALETTE.blue,
        },
        encoding: {
          x: { ...x, field: 'intensity' },
          y: { ...y, field: 'reached' },
          size: {
            field: 'share',
            type: 'quantitative' as const,
            scale: { domain: [0, 0.5], range: [18, 420] },
            legend: {
              title: ['share of', 'the step'],
              format: '.0%',
              values: [0.05, 0.2, 0.5],
              symbolFillColor: '#FFFFFF',
            },
          },
        },
      })),
      {
        data: { values: names(points) },
        mark: { type: 'text', align: 'left' },
        encoding: { x: { ...x, field: 'x' }, y: { ...y, field: 'y' }, text: { field: 'name' } },
      },
    ],
  };
}

function slanted(roof: Roof, { x0, x1, y0, top }: { x0: number; x1: number; y0: number; top: number }) {
  const slope = roof.rate / 1e9;
  const from = Math.max(x0, y0 / slope);
  const to = Math.min(x1, top / slope);
  return { name: roof.name, x: from, y: from * slope, x2: to, y2: to * slope };
}

function roofName(
  line: { name: string; x: number; y: number; x2: number; y2: number },
  kind: Roof['kind'],
  { x, y }: { x: object; y: object },
) {
  const flat = kind === 'operations';
  return {
    data: { values: [line] },
    mark: {
      type: 'text' as const,
      align: 'left' as const,
      baseline: 'bottom' as const,
      // Above a flat roof, and above the left end of a slanted one, nothing can be.
      dy: flat ? -4 : -60,
      dx: 4,
      fontWeight: 'bold' as const,
    },
    encoding: {
      x: { ...x, field: 'x', type: 'quantitative' as const },
      y: { ...y, field: 'y', type: 'quantitative' as const },
      text: { field: 'name' },
    },
  };
}

/** One name per cluster of markers that would write over each other. */
function names(points: readonly { name: string; intensity: number; reached: number }[]) {
  const clusters: { x: number; y: number; names: string[] }[] = [];
  for (const { name, intensity, reached } of [...points].sort((a, b) => b.reached - a.reached)) {
    const near = clusters.find(
      (c) => Math.abs(Math.log(c.x / intensity)) < 0.5 && Math.abs(Math.log(c.y / reached)) < 0.22,
    );
    if (near) near.names.push(name);
    else clusters.push({ x: intensity, y: reached, names: [name] });
  }
  return clusters.map((cluster) => ({ x: cluster.x * 1.22, y: cluster.y, name: cluster.names.join(', ') }));
}
