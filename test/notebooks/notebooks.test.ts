import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
const { root } = project();

function reference<T>(name: string): T {
  return JSON.parse(readFileSync(join(root, 'results/reference', name), 'utf8')) as T;
}

const ladder = reference<{ rows: unknown[]; timeline: unknown[] }>('ablation/summary.json');
const quality = reference<{ rows: unknown[] }>('quality/techniques.json');
const numerics = ['f16', 'q4_0'].map((weights) =>
  reference<{ agreement: unknown[] }>(`numerics/${weights}-llada.cpp.json`),
);
const phones = readdirSync(join(root, 'results/reference/phones'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => reference<{ rows: unknown[] }>(`phones/${name}`));
const validation = reference<{ rows: { predicted: number | null; bound: boolean; as: string | null }[] }>(
  'validation/open.json',
);
const chips = new Set(
  validation.rows
    .filter((row) => row.predicted !== null && !row.bound && row.as !== null)
    .map((row) => row.as!.split('/')[0]),
);

const generality = reference<{ table: { model: string; technique: string; phone: string }[] }>(
  'reproduce/generality/result.json',
).table;

/** What each notebook has to show, in order: the least number of marks of each chart, the rows of each table. */
const NOTEBOOKS: Record<string, { charts: number[]; tables: number[] }> = {
  index: { charts: [], tables: [] },
  techniques: {
    charts: [2 * ladder.rows.length, 2 * (ladder.rows.length - 1)],
    tables: [ladder.rows.length],
  },
  // One row of the ladder at a time.
  time: { charts: [14, 5 * ladder.rows.length, 100], tables: [3] },
  phones: {
    charts: [3 * phones.length, 7 * phones.length, chips.size],
    tables: [
      3 * phones.length,
      generality.filter(({ model }) => model === generality[0].model).length,
      chips.size,
    ],
  },
  // Policies that came out the same share a point in the second chart.
  quality: {
    charts: [2 * quality.rows.length, quality.rows.length - 2],
    tables: [quality.rows.length, numerics.flatMap((run) => run.agreement).length, numerics.length],
  },
  // The example: a prefill and six denoising steps.
  trace: { charts: [20, 20], tables: [7] },
};

it('has an expectation for every notebook', () => {
  const pages = readdirSync(join(root, 'notebooks')).filter((name) => name.endsWith('.html'));
  expect(pages.map((name) => name.replace('.html', '')).sort()).toEqual(Object.keys(NOTEBOOKS).sort());
});

// Longer than 20 s on a busy machine: six notebooks are bundled, Vega in five of them, and drawn by a browser.
describe.skipIf(CHROMIUM === undefined)('built notebooks in Chromium', () => {
  const folder = temporaryDirectory();
  let browser: Browser;
  // As a reader opens them: from the disk.
  const home = `${pathToFileURL(folder).href}/`;

  beforeAll(async () => {
    execFileSync(process.execPath, ['tools/notebooks.mjs', 'build', folder], { cwd: root, stdio: 'pipe' });
    browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Marks drawn by every chart of the page: paths and texts that Vega put inside mark groups. */
  const marks = (page: Page): Promise<number[]> =>
    page
      .locator('svg.marks')
      .evaluateAll((charts) =>
        charts.map(
          (chart) =>
            (chart as unknown as { querySelectorAll(selector: string): { length: number } }).querySelectorAll(
              '.mark-rect.role-mark path, .mark-rule.role-mark line, .mark-symbol.role-mark path',
            ).length,
        ),
      );

  it.each(Object.entries(NOTEBOOKS))(
    '%s draws every chart and table, asks nobody and reports nothing',
    async (name, expected) => {
      const page = await browser.newPage();
      const requests: string[] = [];
      const problems: string[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      await page.goto(new URL(`${name}.html`, home).href);
      // The page says nothing when it is done; wait for as much as it should show, then look at what it shows.
      await expect
        .poll(() => page.locator('svg.marks, table, .observablehq--error').count(), { timeout: 30_000 })
        .toBeGreaterThanOrEqual(expected.charts.length + expected.tables.length);
      await page.waitForLoadState('networkidle');

      const drawn = await marks(page);
      expect(drawn).toHaveLength(expected.charts.length);
      for (const [at, least] of expected.charts.entries()) {
        expect(drawn[at], `marks of chart ${at + 1}`).toBeGreaterThanOrEqual(least);
      }
      const tables = await page.locator('table').all();
      expect(await Promise.all(tables.map((table) => table.locator('tbody tr').count()))).toEqual(
        expected.tables,
      );
      expect(await page.locator('body').innerText()).not.toMatch(/\b(NaN|undefined|Infinity)\b/);
      expect(await page.locator('.observablehq--error').count()).toBe(0);
      expect(requests.filter((url) => !url.startsWith(home) && !/^(data|blob):/.test(url))).toEqual([]);
      expect(problems).toEqual([]);
      await page.close();
    },
    60_000,
  );

  it('follows a choice, says what a mark is, and reads a trace of the reader', async () => {
    const page = await browser.newPage();
    await page.goto(new URL('time.html', home).href);
    const lanes = page.locator('label', { hasText: 'Row of the ladder' }).locator('select');
    const title = page.locator('svg.marks').nth(2);
    await expect.poll(() => title.textContent(), { timeout: 30_000 }).toContain('+ SCR');
    await lanes.selectOption({ index: 0 });
    await expect.poll(() => title.textContent()).toContain('NPU + prefix KV');
    const said = page.locator('svg.marks').nth(2).locator('path > title').first();
    expect(await said.textContent()).toMatch(/ms\n?.*works \d+ % of it/);

    await page.goto(new URL('trace.html', home).href);
    const facts = page.locator('li').first();
    await expect.poll(() => facts.textContent(), { timeout: 30_000 }).toContain('example: policy');
    const example = readFileSync(join(root, 'notebooks/lib/example.jsonl'), 'utf8');
    const own = { mimeType: 'application/jsonl', buffer: Buffer.from(example) };
    await page.locator('input[type=file]').setInputFiles({ name: 'mine.jsonl', ...own });
    await expect.poll(() => facts.textContent()).toContain('mine.jsonl: policy');
    const broken = { name: 'x.txt', mimeType: 'text/plain', buffer: Buffer.from('{}') };
    await page.locator('input[type=file]').setInputFiles(broken);
    await expect.poll(() => facts.textContent()).toContain('x.txt is no trace of dllm-npu');
    await page.close();
  }, 90_000);
});
