import fc from 'fast-check';
import type { TopLevelSpec } from 'vega-lite';
import { describe, expect, it } from 'vitest';
import { utilizationMap } from '../../experiments/figures/heat-map.js';
import { rooflineOf, tornadoOf } from '../../experiments/figures/machine-data.js';
import { front, pareto } from '../../experiments/figures/pareto.js';
import { renderPng, renderSvg } from '../../experiments/figures/render.js';
import { bound, type Roof, roofline } from '../../experiments/figures/roofline.js';
import { staircase } from '../../experiments/figures/staircase.js';
import { tornado } from '../../experiments/figures/tornado.js';
import { waterfall } from '../../experiments/figures/waterfall.js';
import { openMachine } from '../../experiments/lab/open.js';
import { chipSchema } from '../../experiments/lab/setup.js';

const ROOFS: Roof[] = [
  { name: 'DMA', rate: 30e9, kind: 'bytes' },
  { name: 'matrix unit', rate: 16e12, kind: 'operations' },
];
const CHIP = chipSchema.parse({ costModel: 'tinyllama-1.1b' });

const figures: [string, () => TopLevelSpec][] = [
  [
    'waterfall',
    () =>
      waterfall(
        [
          { name: 'base', seconds: 100 },
          { name: '+ one', seconds: 20 },
          { name: '+ two', seconds: 25 },
        ],
        'synthetic',
      ),
  ],
  [
    'utilization',
    () =>
      utilizationMap(
        [
          { step: 0, busy: { dma: 0.5 } },
          { step: 1, busy: {} },
        ],
        ['dma', 'cpu'],
        'synthetic',
      ),
  ],
  [
    'roofline',
    () =>
      roofline({
        title: 'synthetic',
        subtitle: 'synthetic',
        level: 'DRAM',
        roofs: ROOFS,
        classes: [
          { name: 'down', operations: 1e9, bytes: 1e7, seconds: 1e-3, share: 0.5, assumed: false },
          { name: 'attention', operations: 1e8, bytes: 1e7, seconds: 1e-3, share: 0.1, assumed: true },
        ],
      }),
  ],
  [
    'pareto',
    () =>
      pareto(
        [
          { name: 'a', x: 1, y: 0.5, low: 0.4, high: 0.6 },
          { name: 'b', x: 2, y: 0.9 },
          { name: 'c', x: 3, y: 0.8 },
        ],
        { title: 'synthetic', x: { title: 'seconds' }, y: { title: 'exact', percent: true } },
      ),
  ],
  [
    'tornado',
    () =>
      tornado(
        [
          { name: 'small', lowText: '1', highText: '2', atLow: 9, atHigh: 10 },
          { name: 'large', lowText: '1', highText: '2', atLow: 5, atHigh: 20 },
        ],
        10,
        { title: 'synthetic', x: 'ms' },
      ),
  ],
  [
    'staircase',
    () =>
      staircase(
        [1, 32, 33, 64].flatMap((rows) => [
          { rows, ms: Math.ceil(rows / 32), series: 'a' },
          { rows, ms: 2 * Math.ceil(rows / 32), series: 'b' },
        ]),
        32,
        'synthetic',
      ),
  ],
];

describe.each(figures)('%s figure', (name, spec) => {
  it('draws the same picture every time, and as a PNG', async () => {
    const svg = await renderSvg(spec());
    expect(await renderSvg(JSON.parse(JSON.stringify(spec())))).toBe(svg);
    expect(Buffer.from(renderPng(svg)).readUInt32BE(16)).toBeGreaterThan(1000);
  });

  it('has its golden spec (renew with vitest -u after looking at the picture)', async () => {
    await expect(`${JSON.stringify(spec(), null, 1)}\n`).toMatchFileSnapshot(
      `../golden/figures/${name}.vl.json`,
    );
  });
});

describe('pareto front', () => {
  const points = fc.array(
    fc.record({
      name: fc.constant('p'),
      x: fc.integer({ min: 0, max: 9 }),
      y: fc.integer({ min: 0, max: 9 }),
    }),
    { minLength: 1, maxLength: 30 },
  );

  it.each([false, true])(
    'holds what nothing beats, and beats everything else (smaller y better: %s)',
    (smaller) => {
      const beats = (a: { x: number; y: number }, b: { x: number; y: number }): boolean =>
        a.x <= b.x && (smaller ? a.y <= b.y : a.y >= b.y) && (a.x !== b.x || a.y !== b.y);
      fc.assert(
        fc.property(points, (all) => {
          const best = front(all, smaller);
          for (const point of best) expect(all.some((other) => beats(other, point))).toBe(false);
          for (const point of all) {
            const same = best.some(({ x, y }) => x === point.x && y === point.y);
            expect(same || best.some((other) => beats(other, point))).toBe(true);
          }
        }),
      );
    },
  );
});

describe('what a machine tells a figure', () => {
  it('no class of operators is above its roof', () => {
    for (const memory of ['somr', 'unlimited'] as const) {
      const { classes, roofs } = rooflineOf(openMachine({ ...CHIP, memory }), 32, 64);
      expect(classes.map(({ name }) => name)).toEqual(expect.arrayContaining(['down', 'attention']));
      for (const { operations, bytes, seconds } of classes) {
        expect(operations / seconds).toBeLessThanOrEqual(bound(roofs, operations / bytes) * 1.0001);
      }
    }
  });

  it('shares of a step stay below 1, and the operations are those of the closed form', () => {
    const { classes } = rooflineOf(openMachine(CHIP), 32, 0);
    expect(classes.reduce((sum, { share }) => sum + share, 0)).toBeLessThanOrEqual(1);
    const { shapes: model } = openMachine(CHIP).options;
    const down = classes.find(({ name }) => name === 'down');
    expect(down!.operations).toBe(2 * 32 * model.layers * model.hidden * model.ffn);
  });

  it('ends of a tornado lie around its base', () => {
    const { rows, base, without } = tornadoOf(openMachine(CHIP), 8, 0, 4);
    expect(rows.length).toBe(4);
    expect(without).toBeGreaterThan(0);
    for (const { atLow, atHigh } of rows) {
      expect(Math.min(atLow, atHigh)).toBeLessThanOrEqual(base * 1.000001);
      expect(Math.max(atLow, atHigh)).toBeGreaterThanOrEqual(base * 0.999999);
    }
  });
});
