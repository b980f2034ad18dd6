// npm run explorer:measure: how soon the explorer can be used and how many steps a second it decodes, in Chromium from the disk.
// A busy machine stretches wall-clock times; CPU times of the worker's thread, beside them, do not mind the others. Linux only.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { PACKED, packedScript } from '../../dist/cli/explorer-files.js';
import { buildExplorer } from './build.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const out = join(root, 'dist', 'explorer');
const sizes = await buildExplorer(out);
writeFileSync(join(out, PACKED), packedScript());
const page_address = pathToFileURL(join(out, 'index.html')).href;
const linkOf = (settings) => `#${encodeURIComponent(JSON.stringify(settings))}`;

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const session = await browser.newBrowserCDPSession();

/** CPU seconds of every thread of the page's process, by name; the kernel counts in hundredths. */
async function cpuSeconds() {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const seconds = { worker: 0, all: 0 };
  for (const { id, type } of processInfo) {
    if (type !== 'renderer') continue;
    for (const task of readdirSync(`/proc/${id}/task`)) {
      const stat = readFileSync(`/proc/${id}/task/${task}/stat`, 'utf8');
      const name = /\((.*)\)/.exec(stat)[1];
      const [user, system] = stat.slice(stat.lastIndexOf(')') + 2).split(' ').slice(11, 13).map(Number);
      seconds.all += (user + system) / 100;
      if (name.startsWith('DedicatedWorker')) seconds.worker += (user + system) / 100;
    }
  }
  return seconds;
}

async function open(settings) {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  const began = Date.now();
  await page.goto(page_address + linkOf(settings));
  await page.waitForSelector('.cell[role=gridcell]');
  const first = { wallS: (Date.now() - began) / 1000, cpu: await cpuSeconds() };
  await page.waitForFunction(() => document.querySelector('.staircase svg') !== null, null, { timeout: 120_000 });
  return { page, first };
}

const { page, first } = await open([{}]);
console.log(JSON.stringify({ what: 'first step on the screen', wallS: first.wallS, cpuS: first.cpu.all, workerCpuS: first.cpu.worker }));

for (const setting of [{}, { policy: 'threshold' }, { policy: 'block-kv' }]) {
  // Once to warm up, as in use; then a problem that was not decoded yet.
  for (const problem of [5, 6, 7]) {
    await page.goto('about:blank');
    const one = await open([{ ...setting, problem }]);
    await one.page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
    const before = await cpuSeconds();
    const began = Date.now();
    await one.page.locator('.settings select').first().selectOption(`problem ${problem + 1}`);
    await one.page.waitForFunction(() => document.querySelector('.progress')?.textContent.startsWith('decoding'));
    await one.page.waitForFunction(() => document.querySelector('.progress')?.textContent.includes('timed here'), null, { timeout: 120_000 });
    const text = await one.page.locator('.progress').textContent();
    const wallS = (Date.now() - began) / 1000;
    const steps = Number(/^(\d+)/.exec(text)[1]);
    const workerS = (await cpuSeconds()).worker - before.worker;
    console.log(JSON.stringify({ what: setting.policy ?? 'llada.cpp', steps, wallS, workerCpuS: Number(workerS.toFixed(2)), stepsPerCpuSecond: Number((steps / workerS).toFixed(1)) }));
    await one.page.close();
  }
}
console.log(JSON.stringify({ what: 'size', bytes: Object.values(sizes).reduce((sum, each) => sum + each, packedScript().length) }));
await browser.close();
