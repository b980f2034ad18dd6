// One contact sheet of every figure of results/reference at the size it has in print: figures-sheet.pdf, and a PNG per
// page. Usage: npm run figures:sheet -- [--width single|double|slide] [--out directory] [--write]
// --write also renews the figures beside the stored results (at the double width they are kept in).
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { renderPdf, renderPng, writeFigure } from '../dist/experiments/figures/formats.js';
import { FIGURE_WIDTHS } from '../dist/experiments/figures/page.js';
import { drawFigure } from '../dist/experiments/figures/render.js';
import { contactSheet } from '../dist/experiments/figures/sheet.js';
import { storedFigures } from '../dist/experiments/report/stored-figures.js';

const { values } = parseArgs({
  options: {
    width: { type: 'string', default: 'single' },
    out: { type: 'string', default: join('results', 'figures-sheet') },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
if (!Object.hasOwn(FIGURE_WIDTHS, values.width)) {
  console.error(`--width is one of ${Object.keys(FIGURE_WIDTHS).join(', ')}, not ${values.width}`);
  process.exit(2);
}
const reference = join(dirname(fileURLToPath(import.meta.url)), '..', 'results', 'reference');
const drawn = [];
let refused = 0;
for (const { base, figure } of await storedFigures(reference)) {
  if (values.only !== undefined && !base.includes(values.only)) continue;
  const title = base.endsWith('figure') ? dirname(base) : base;
  try {
    drawn.push({ name: title, drawn: await drawFigure(figure, { width: values.width }) });
    if (values.write) await writeFigure(join(reference, base), figure);
  } catch (error) {
    refused += 1;
    console.error(`${base}: ${error.message}`);
  }
}
const pages = contactSheet(drawn);
mkdirSync(values.out, { recursive: true });
writeFileSync(join(values.out, `sheet-${values.width}.pdf`), await renderPdf(pages));
for (const [i, { svg }] of pages.entries())
  writeFileSync(join(values.out, `sheet-${values.width}-${i + 1}.png`), renderPng(svg, 150));
console.log(`${drawn.length} figures on ${pages.length} pages in ${values.out}`);
if (refused > 0) process.exitCode = 1;
