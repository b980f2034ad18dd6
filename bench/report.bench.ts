/**
 * How long each chart of the report takes in Chromium, and whether the page asks for anything outside. Goal: under two
 * seconds a chart, no request. The first drawing counts: each chart is put into a fresh page by itself.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { bench, describe } from 'vitest';
import { renderReport } from '../experiments/report/page.js';
import { readSummary } from '../experiments/studies/ladder/summary-file.js';
import { project } from '../src/util/project-root.js';
import { formatTable } from '../src/util/table.js';
import { temporaryDirectory } from '../test/support/temporary-directory.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const ROUNDS = 5;
const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

/** Runs in the page: takes every chart out, then puts one back at a time and waits until it is on the screen. */
const DRAW_SVG = `(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const found = [...document.querySelectorAll('figure svg')].map((svg) => ({ svg, home: svg.parentElement, text: svg.outerHTML }));
  for (const { svg } of found) svg.remove();
  await frame();
  const times = [];
  for (const { home, text } of found) {
    const began = performance.now();
    home.insertAdjacentHTML('beforeend', text);
    home.getBoundingClientRect();
    home.scrollIntoView();
    await frame();
    times.push({ name: home.closest('section')?.id ?? 'figure', ms: performance.now() - began });
  }
  return times;
})()`;

/** Runs in the page: every step of the denoising carpet with its lanes, the longest wait counts. */
const DRAW_CARPET = `(async () => {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const slider = document.querySelector('.player input');
  if (slider === null) return [];
  slider.scrollIntoView();
  let worst = 0;
  for (let step = 0; step <= Number(slider.max); step++) {
    const began = performance.now();
    slider.value = String(step);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await frame();
    worst = Math.max(worst, performance.now() - began);
  }
  return [{ name: 'carpet and lanes, slowest step', ms: worst }];
})()`;

async function measure(page: Page, url: string): Promise<Map<string, number>> {
  const began = performance.now();
  await page.goto(url);
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
  const found = new Map([['whole page, all charts', performance.now() - began]]);
  const drawn = [
    ...((await page.evaluate(DRAW_CARPET)) as []),
    ...((await page.evaluate(DRAW_SVG)) as []),
  ] as {
    name: string;
    ms: number;
  }[];
  const seen = new Map<string, number>();
  for (const { name, ms } of drawn) {
    const nth = (seen.get(name) ?? 0) + 1;
    seen.set(name, nth);
    found.set(nth === 1 ? name : `${name} ${nth}`, ms);
  }
  return found;
}

describe.skipIf(CHROMIUM === undefined)('the report in Chromium', () => {
  bench(
    'each chart',
    async () => {
      const summary = readSummary(join(project().root, 'results/reference/ablation/summary.json'));
      const file = join(temporaryDirectory(), 'report.html');
      writeFileSync(file, await renderReport(summary));
      const browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
      const requests: string[] = [];
      const times = new Map<string, number[]>();
      try {
        for (let round = 0; round < ROUNDS; round++) {
          const page = await browser.newPage();
          page.on('request', (request) => requests.push(request.url()));
          for (const [name, ms] of await measure(page, pathToFileURL(file).href))
            times.set(name, [...(times.get(name) ?? []), ms]);
          await page.close();
        }
      } finally {
        await browser.close();
      }
      const rows = [...times].map(([name, ms]) => [
        name,
        Math.max(...ms).toFixed(0),
        Math.min(...ms).toFixed(0),
      ]);
      const columns = ['chart', 'slowest ms', 'fastest ms'].map((text, at) => ({
        header: [text],
        align: at === 0 ? ('left' as const) : ('right' as const),
      }));
      const outside = requests.filter((url) => !/^(file|data):/.test(url));
      console.log(
        `\n${formatTable(columns, rows)}\n${outside.length} requests outside the file, ${ROUNDS} rounds`,
      );
    },
    ONCE,
  );
});
