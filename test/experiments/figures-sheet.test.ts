import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Resvg } from '@resvg/resvg-js';
import { expect, it } from 'vitest';
import { renderPng } from '../../experiments/figures/formats.js';
import { drawFigure } from '../../experiments/figures/render.js';
import { contactSheet } from '../../experiments/figures/sheet.js';
import { FIGURES } from '../support/figures.js';

/** Pixels per inch of the kept pictures: enough for a line, a letter and a colour to count. */
const DPI = 72;
/** Side of the squares in which pictures are compared, in pixels. */
const SQUARE = 12;
/** Mean difference of a square that is let pass, of 255: what another rounding of edges and letters makes. */
const TOLERANCE = 12;

interface Picture {
  readonly width: number;
  readonly height: number;
  /** Lightness, a byte per pixel: what a grey print shows. */
  readonly grey: Uint8Array;
}

function pixelsOf(png: Uint8Array): Picture {
  const [width, height] = [16, 20].map((at) => Buffer.from(png).readUInt32BE(at));
  const data = Buffer.from(png).toString('base64');
  const { pixels } = new Resvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" href="data:image/png;base64,${data}"/></svg>`,
  ).render();
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++)
    grey[i] = Math.round(0.2126 * pixels[4 * i] + 0.7152 * pixels[4 * i + 1] + 0.0722 * pixels[4 * i + 2]);
  return { width, height, grey };
}

/** The square that differs most, and by how much. */
function largestDifference(a: Picture, b: Picture): { x: number; y: number; by: number } {
  let worst = { x: 0, y: 0, by: 0 };
  for (let y = 0; y < a.height; y += SQUARE)
    for (let x = 0; x < a.width; x += SQUARE) {
      let [sum, count] = [0, 0];
      for (let v = y; v < Math.min(a.height, y + SQUARE); v++)
        for (let u = x; u < Math.min(a.width, x + SQUARE); u++) {
          sum += Math.abs(a.grey[v * a.width + u] - b.grey[v * b.width + u]);
          count += 1;
        }
      if (sum / count > worst.by) worst = { x, y, by: sum / count };
    }
  return worst;
}

const directory = fileURLToPath(new URL('../golden/figures/', import.meta.url));
const golden = (page: number): string => join(directory, `sheet-${page + 1}.png`);

it('every kind of figure, in one column and in grey, looks as it was last looked at', async () => {
  const drawn = [];
  for (const [name, figure] of FIGURES)
    drawn.push({ name, drawn: await drawFigure(figure(), { width: 'single' }) });
  const pages = contactSheet(drawn);
  for (const [page, { svg }] of pages.entries()) {
    const png = renderPng(svg, DPI);
    // Renewed by hand, after looking: DLLM_RENEW_FIGURES=1 npx vitest run test/experiments/figures-sheet.test.ts
    if (process.env.DLLM_RENEW_FIGURES === '1') writeFileSync(golden(page), png);
    const [now, kept] = [pixelsOf(png), pixelsOf(readFileSync(golden(page)))];
    expect([now.width, now.height]).toEqual([kept.width, kept.height]);
    const { x, y, by } = largestDifference(now, kept);
    expect(by, `page ${page + 1}, at ${x}, ${y}`).toBeLessThan(TOLERANCE);
  }
});

it('a picture that lost a line of text is told apart', async () => {
  const [[, figure]] = FIGURES;
  const { svg } = await drawFigure(figure(), { width: 'single' });
  const without = svg.replace(/<text[^>]*>[^<]*<\/text>/, '');
  expect(without).not.toBe(svg);
  expect(
    largestDifference(pixelsOf(renderPng(svg, DPI)), pixelsOf(renderPng(without, DPI))).by,
  ).toBeGreaterThan(TOLERANCE);
});
