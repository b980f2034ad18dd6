import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../experiments/report/page.js';
import { readSummary } from '../../experiments/studies/ladder/summary-file.js';
import type { AblationSummary } from '../../experiments/studies/ladder/types.js';
import { project } from '../../src/util/project-root.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** The reference ladder; busy shares are put in where it was made before they were recorded. */
function reference(): AblationSummary {
  const summary = readSummary(join(project().root, 'results/reference/ablation/summary.json'));
  const carpet = summary.carpet.map((one) => ({
    ...one,
    steps: one.steps.map((step, index) => ({
      ...step,
      busy: step.busy ?? { dma: (index % 10) / 10, cpu: 0.25, idle: 0 },
    })),
  }));
  return { ...summary, carpet };
}

describe.skipIf(CHROMIUM === undefined)('report in Chromium', () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];
  const problems: string[] = [];
  const summary = reference();

  beforeAll(async () => {
    const file = join(temporaryDirectory(), 'report.html');
    writeFileSync(file, await renderReport(summary));
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    page = await browser.newPage();
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(pathToFileURL(file).href);
  });
  afterAll(() => browser?.close());

  /** Share of a canvas's pixels that are not background. */
  const painted = (selector: string): Promise<number> =>
    page.locator(selector).evaluate((element) => {
      // Runs in the page.
      const canvas = element as unknown as {
        width: number;
        height: number;
        getContext(kind: '2d'): { getImageData(...box: number[]): { data: Uint8ClampedArray } };
      };
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let at = 3; at < data.length; at += 4) count += data[at]! > 0 ? 1 : 0;
      return count / (data.length / 4);
    });

  it('draws every chart, asks for nothing and reports nothing', async () => {
    expect(await page.locator('#section-ladder svg').count()).toBe(1);
    expect(await page.locator('#section-timeline svg').count()).toBe(summary.timeline.length);
    expect(await painted('.carpet > canvas')).toBeGreaterThan(0.5);
    expect(await painted('.lanes canvas')).toBeGreaterThan(0.3);
    expect(requests.filter((url) => !/^(file|data):/.test(url))).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('moves through the steps, text and lanes with it', async () => {
    const output = page.locator('.player output');
    const text = page.locator('.decoded');
    const last = summary.carpet.at(-1)!.steps.length - 1;
    const seen = new Set<string>();
    for (const step of [0, Math.floor(last / 2), last]) {
      await page.locator('.player input').fill(String(step));
      expect(await output.textContent()).toContain(`after step ${step} of ${last}`);
      seen.add((await text.textContent()) ?? '');
    }
    expect(seen.size).toBe(3);
    await page.locator('.lanes canvas').click({ position: { x: 70, y: 10 } });
    expect(await output.textContent()).toContain('after step 0 ');
    await page.locator('.player select').selectOption('0');
    expect(await output.textContent()).toContain(`of ${summary.carpet[0]!.steps.length - 1}`);
  });

  it('gives out the JSON behind each chart', async () => {
    const buttons = page.locator('[data-json]');
    expect(await buttons.count()).toBe(2 + summary.timeline.length);
    // It can be read in place.
    await page.locator('.json > summary').first().click();
    const shown = await page.locator('.json pre').first().textContent();
    expect(JSON.parse(shown ?? '')).toEqual(JSON.parse(JSON.stringify(summary.rows)));
    const [download] = await Promise.all([page.waitForEvent('download'), buttons.first().click()]);
    expect(download.suggestedFilename()).toBe('ladder.json');
    const stream = await download.createReadStream();
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(JSON.parse(Buffer.concat(chunks).toString())).toEqual(JSON.parse(JSON.stringify(summary.rows)));
  });

  it('says what is under the pointer: an operator, a row, a position', async () => {
    const tip = page.locator('.tip');
    await page.locator('#section-timeline svg [aria-roledescription="rect mark"]').nth(3).hover();
    expect(await tip.textContent()).toMatch(/unit|DMA|driver|CPU/);
    expect(await tip.textContent()).toMatch(/[\d.]+ to [\d.]+ ms\n?.*works \d+ % of it/);
    await page.locator('#section-ladder svg [aria-roledescription="symbol mark"]').first().hover();
    expect(await tip.textContent()).toMatch(/seconds for one answer/);
    await page.locator('.carpet > canvas').hover({ position: { x: 60, y: 12 } });
    expect(await tip.textContent()).toMatch(/^step \d+\nposition \d+: \w+/);
    await page.locator('.decoded span').first().hover();
    expect(await tip.textContent()).toMatch(/^position 0: \w+/);
    await page.keyboard.press('Escape');
    expect(await tip.isHidden()).toBe(true);
  });

  it('has dark charts in the dark', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    const [filter, plate] = (await page.evaluate(
      "[getComputedStyle(document.querySelector('.plate svg')).filter, getComputedStyle(document.querySelector('.plate')).backgroundColor]",
    )) as string[];
    expect(filter).toContain('invert');
    expect(plate).toBe('rgb(20, 20, 20)');
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('folds the machine numbers away', async () => {
    const numbers = page.locator('.numbers table');
    expect(await numbers.isVisible()).toBe(false);
    await page.locator('.numbers > summary').click();
    expect(await numbers.isVisible()).toBe(true);
  });

  it('fits a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    expect(wide).toBeLessThanOrEqual(390);
    expect(await painted('.lanes canvas')).toBeGreaterThan(0.3);
    expect(problems).toEqual([]);
  });
});
