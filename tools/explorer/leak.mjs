// npm run explorer:leak [-- MINUTES]: plays with the explorer in Chromium for so long (default: 10 minutes) and watches the memory
// of the process that runs page and worker. Fails when it has grown by more than a fifth after the first tenth of the time.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { PACKED, packedScript } from '../../dist/cli/explorer-files.js';
import { buildExplorer } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const minutes = Number(process.argv[2] ?? 10);
const out = join(root, 'dist', 'explorer');
await buildExplorer(out);
writeFileSync(join(out, PACKED), packedScript());

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const page = await browser.newPage();
const session = await browser.newBrowserCDPSession();
const own = await page.context().newCDPSession(page);
await page.goto(pathToFileURL(join(out, 'index.html')).href);

const settled = () =>
  page.waitForFunction(
    () => document.querySelector('.compare .quiet') === null && document.querySelector('.staircase svg') !== null,
    null,
    { timeout: 120_000 },
  );

/** Resident MiB of the process of the page, after a collection. */
async function residentMiB() {
  await own.send('HeapProfiler.collectGarbage');
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const sizes = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))[1]) / 1024);
  return Math.max(...sizes);
}

const began = Date.now();
const samples = [];
let decodes = 0;
for (let round = 0; Date.now() - began < minutes * 60_000; round++) {
  await page.locator('.guide-tabs button').nth(round % 3).click();
  await settled();
  decodes += round % 3 === 2 ? 2 : 3;
  // Scrubs, hovers, and changes a setting.
  const last = Number(await page.locator('.player input[type=range]').getAttribute('max'));
  for (const share of [0.2, 0.9, 0.5]) await page.locator('.player input[type=range]').fill(String(Math.floor(last * share)));
  for (const at of [3, 40, 77]) await page.locator('.cell[role=gridcell]').nth(at).hover();
  await page.locator('.settings select').first().selectOption({ index: round % 10 });
  await settled();
  decodes++;
  samples.push({ minutes: (Date.now() - began) / 60_000, mib: await residentMiB() });
  const { minutes: at, mib } = samples.at(-1);
  console.error(`${at.toFixed(1)} min, ${decodes} decodes: ${mib.toFixed(0)} MiB`);
}
await browser.close();

const early = samples.filter(({ minutes: at }) => at > minutes * 0.1 && at < minutes * 0.4).map(({ mib }) => mib);
const late = samples.filter(({ minutes: at }) => at > minutes * 0.7).map(({ mib }) => mib);
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const growth = median(late) / median(early);
console.log(JSON.stringify({ minutes, decodes, earlyMiB: Math.round(median(early)), lateMiB: Math.round(median(late)), growth: Number(growth.toFixed(3)) }));
process.exit(growth <= 1.2 ? 0 : 1);
