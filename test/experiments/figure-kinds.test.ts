import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rooflineOf, tornadoOf } from '../../experiments/figures/machine-data.js';
import type { Figure } from '../../experiments/figures/page.js';
import { front } from '../../experiments/figures/pareto.js';
import {
  type DrawnFigure,
  drawFigure,
  type FigureOptions,
  renderSvg,
} from '../../experiments/figures/render.js';
import { bound } from '../../experiments/figures/roofline.js';
import { staircase } from '../../experiments/figures/staircase.js';
import { openMachine } from '../../experiments/lab/open.js';
import { chipSchema } from '../../experiments/lab/setup.js';
import { FIGURES } from '../support/figures.js';

const CHIP = chipSchema.parse({ costModel: 'tinyllama-1.1b' });

/** Each picture is drawn once: drawing is most of what this file takes. That it is the same every time is held in figures.test.ts. */
const pictures = new Map<string, Promise<DrawnFigure>>();
function drawn(name: string, figure: () => Figure, options: FigureOptions = {}): Promise<DrawnFigure> {
  const { width = 'double', title = true } = options;
  const key = `${name} ${width} ${title}`;
  const found = pictures.get(key) ?? drawFigure(figure(), options);
  pictures.set(key, found);
  return found;
}
/** A picture without its size on paper. */
const inside = (svg: string): string => svg.replace(/^<svg[^>]*>/, '');

describe.each(FIGURES)('%s figure', (name, figure) => {
  it('has the width of its place in print, and text of one height', async () => {
    for (const [width, points, text] of [
      ['single', 240, 8],
      ['double', 504, 8],
      ['slide', 864, 18],
    ] as const) {
      const { svg, widthPt } = await drawn(name, figure, { width });
      expect(widthPt).toBe(points);
      expect(svg).toContain(` width="${points}pt"`);
      const box = Number(/viewBox="0 0 ([\d.]+) /.exec(svg)?.[1]);
      const sizes = [...svg.matchAll(/font-size="([\d.]+)px"/g)].map(([, size]) => Number(size));
      expect(sizes.length).toBeGreaterThan(0);
      for (const size of sizes) expect((size * points) / box).toBeCloseTo(text, 1);
    }
  });

  it('writes a percentage with a space before its sign', async () => {
    expect((await drawn(name, figure)).svg).not.toMatch(/\d%/);
  });

  it('leaves its title out where the paper has a caption', async () => {
    const [withTitle, without] = [await drawn(name, figure), await drawn(name, figure, { title: false })];
    const title = withTitle.spec.title as { text: string[] } | undefined;
    if (title === undefined) return expect(withTitle.svg).toBe(without.svg);
    expect(withTitle.svg).toContain(`>${title.text[0]}<`);
    expect(without.spec.title).toBeUndefined();
    expect(without.heightPt).toBeLessThan(withTitle.heightPt);
  });

  it('draws the same picture from its written spec', async () => {
    const { spec, svg } = await drawn(name, figure);
    expect(inside(await renderSvg(JSON.parse(JSON.stringify(spec))))).toBe(inside(svg));
  });

  it('has its golden spec (renew with vitest -u after looking at the picture)', async () => {
    const spec = figure()({ width: 504, plot: 350 });
    await expect(`${JSON.stringify(spec, null, 1)}\n`).toMatchFileSnapshot(
      `../golden/figures/${name}.vl.json`,
    );
  });
});

describe('a staircase', () => {
  it('rises at the first row of a tile, and shows a curve that another covers', async () => {
    const points = [32, 33].flatMap((rows) => ['a', 'b'].map((series) => ({ rows, ms: rows, series })));
    const spec = staircase(points, 32, { title: 't' })({ width: 504, plot: 350 }) as unknown as {
      layer: {
        mark: { type: string; interpolate?: string; strokeWidth?: number };
        encoding: { x: { axis?: { values?: number[] } } };
      }[];
    };
    const lines = spec.layer.filter(({ mark }) => mark.type === 'line');
    expect(lines.map(({ mark }) => mark.interpolate)).toEqual(['step-after', 'step-after']);
    // What lies below is drawn first, and wider.
    expect(lines[0].mark.strokeWidth).toBeGreaterThan(2 * (lines[1].mark.strokeWidth ?? 0));
    expect(spec.layer[0].encoding.x.axis?.values).toEqual([1, 33]);
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
      expect(classes.map(({ unit }) => unit)).toEqual(expect.arrayContaining(['NPU', 'CPU']));
      expect(classes.map(({ name }) => name)).toEqual(expect.arrayContaining(['down', 'attention']));
      for (const { unit, operations, bytes, seconds } of classes) {
        expect(operations / seconds).toBeLessThanOrEqual(bound(roofs, unit, operations / bytes) * 1.0001);
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
