import { cpSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModel } from '../../experiments/library/model.js';
import { parseSetting, type SettingInput } from '../../explorer/setting/setting.js';
import { explore } from '../../explorer/worker/explore.js';
import { builtExplorer } from '../support/built-program.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

/** What is looked at of axe's answer. */
interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Short decodes: a test is about the page. */
const PAIR: readonly SettingInput[] = [
  { policy: 'threshold', genLength: 32 },
  { policy: 'mbsd', genLength: 32, memory: 'on-demand' },
];
const linkOf = (settings: readonly unknown[]) => `#${encodeURIComponent(JSON.stringify(settings))}`;

// Longer than 20 s on a busy machine: a browser decodes and times each setting, axe looks at the page twice.
describe.skipIf(CHROMIUM === undefined)('the explorer, from a disk', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let address: string;
  let sizes: readonly number[];
  const requests: string[] = [];
  const problems: string[] = [];

  beforeAll(async () => {
    const out = join(temporaryDirectory(), 'explorer');
    cpSync(await builtExplorer(), out, { recursive: true });
    sizes = readdirSync(out).map((name) => statSync(join(out, name)).size);
    address = pathToFileURL(join(out, 'index.html')).href;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    context = await browser.newContext({
      viewport: { width: 1360, height: 900 },
      reducedMotion: 'reduce',
      offline: true,
    });
    page = await context.newPage();
    page.setDefaultTimeout(100_000);
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await open(PAIR);
  });
  afterAll(() => browser?.close());

  /** Opens a link as one that somebody sent, and waits until every setting is decoded and timed. */
  async function open(settings: readonly unknown[]): Promise<void> {
    await page.goto('about:blank');
    await page.goto(address + linkOf(settings));
    await settled(settings.length);
  }

  async function settled(count: number): Promise<void> {
    await page.waitForFunction(
      // Runs in the page.
      `document.querySelectorAll('.compare .figures').length === ${count} && document.querySelector('.staircase svg') !== null`,
    );
  }

  /** Lines of a trace, numbers with twelve digits. */
  const rounded = (trace: string): unknown[] =>
    trace
      .split('\n')
      .map((line) =>
        line === ''
          ? line
          : JSON.parse(line, (_, value) =>
              typeof value === 'number' ? Number(value.toPrecision(12)) : value,
            ),
      );

  const cells = () => page.locator('.cell[role=gridcell] > span').allTextContents();
  const seconds = (at: number) => page.locator('.compare .figures').nth(at).locator('b').textContent();

  it('decodes and times what the command line does', async () => {
    const model = await loadModel('tiny-llada');
    for (const [at, input] of PAIR.entries()) {
      const outcome = await explore(model, parseSetting(input), () => {});
      const words = outcome.tokens.map((token) => {
        const text = model.tokenizer!.decode([token], { skipSpecial: false }).trim();
        return model.config.endIds.includes(token) ? '■' : text;
      });
      await page.locator('.tabs button').nth(at).click();
      await page.keyboard.press('End');
      expect(await cells()).toEqual(words);
      expect(await seconds(at)).toBe(`${outcome.seconds.toFixed(outcome.seconds >= 10 ? 1 : 2)} s`);
    }
    await model.close();
    await page.locator('.tabs button').first().click();
    expect(await page.locator('code.command').textContent()).toBe(
      'npx dllm-npu generate --problem 3 --policy threshold --gen-length 32 --machine sm8750',
    );
  });

  it('moves by keys, through the steps and through the tokens', async () => {
    const output = page.locator('.player output');
    await page.keyboard.press('Home');
    expect(await output.textContent()).toMatch(/^step 1 of /);
    await page.keyboard.press('ArrowRight');
    expect(await output.textContent()).toMatch(/^step 2 of /);
    await page.keyboard.press('End');
    await page.locator('.cell[tabindex="0"]').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowDown');
    const focused = await page.evaluate('document.activeElement.getAttribute("data-position")');
    expect(Number(focused)).toBeGreaterThan(1);
    expect(await page.locator('.detail b').first().textContent()).toBe(`Position ${Number(focused) + 1}`);
    expect(await output.textContent()).toMatch(/^step (\d+) of \1$/);
  });

  it('decodes anew what is typed and dragged, and its link gives the same', async () => {
    const before = await cells();
    const text = page.locator('textarea');
    await text.fill('A sort cat yak hen B flip 9 8 7 1');
    await text.blur();
    await settled(2);
    await page.waitForFunction('document.querySelector("code.command").textContent.includes("A sort cat")');
    await settled(2);
    expect(await cells()).not.toEqual(before);
    const slider = page.getByLabel('commit.tau, slider');
    await slider.scrollIntoViewIfNeeded();
    const box = (await slider.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.45, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    await page.waitForFunction(
      '/commit.tau=0[.][2-6]/.test(document.querySelector("code.command").textContent)',
    );
    await settled(2);
    const [shown, took, url] = [await cells(), await seconds(0), page.url()];
    await page.goto('about:blank');
    await page.goto(url);
    await settled(2);
    expect(await cells()).toEqual(shown);
    expect(await seconds(0)).toBe(took);
  });

  it('compares with a copy whose number is set', async () => {
    await open([PAIR[0]]);
    await page.getByText('+ Compare with a copy of A').click();
    await settled(2);
    expect(await page.locator('.compare .figures').nth(1).textContent()).toContain('1.00x the speed of A');
    expect(await page.locator('.compare .figures').nth(1).textContent()).toContain('same tokens as A');
    await page.getByText(/^Set any of/).click();
    await page.getByPlaceholder('dma, window').fill('npu.dmaRate');
    const number = page.getByLabel('profile.npu.dmaRate', { exact: true });
    await number.fill('9999');
    await number.blur();
    expect(await page.locator('.one-number .fault').textContent()).toMatch(/^from /);
    await number.fill('40');
    await number.blur();
    await page.waitForFunction('document.querySelector("code.command").textContent.includes("dmaRate=40")');
    await settled(2);
    expect(await page.locator('.compare .figures').nth(1).textContent()).toMatch(
      /[1-9]\.\d[1-9]x the speed of A/,
    );
  });

  it('gives out trace, figure and numbers', async () => {
    const contents = [];
    for (const name of ['Download trace', 'Download figure', 'Download numbers']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByText(name).click()]);
      const chunks: Buffer[] = [];
      for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
      contents.push(Buffer.concat(chunks).toString());
    }
    const [trace, figure, numbers] = contents;
    const setting = parseSetting({ ...PAIR[0], numbers: { 'profile.npu.dmaRate': 40 } });
    const model = await loadModel('tiny-llada');
    const here = await explore(model, setting, () => {});
    await model.close();
    // Plans, tokens, times and the hash of the weights are the same; Math.exp is not specified to the last bit, and
    // Chromium's and Node's differ there in a confidence now and then.
    expect(rounded(trace)).toEqual(rounded(here.trace));
    expect(figure).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(JSON.parse(numbers)).toMatchObject([
      { name: 'A' },
      { name: 'B', command: expect.stringContaining('dmaRate=40') },
    ]);
  });

  it.each([
    ['a link that was cut', '#%5B%7B', 'this link was cut or changed'],
    ['a policy that is not there', linkOf([{ policy: 'mbds' }]), 'mbsd'],
    ['a number that does not fit', linkOf([{ genLength: 33 }]), 'multiple of the block length'],
  ])('says what is wrong with %s', async (_, hash, words) => {
    await page.goto('about:blank');
    await page.goto(address + hash);
    await page.waitForSelector('.fault');
    expect(await page.locator('.fault').first().textContent()).toContain(words);
  });

  it('keeps nothing of what it showed', async () => {
    await open([PAIR[0]]);
    const session = await context.newCDPSession(page);
    const heap = async () => {
      await session.send('HeapProfiler.collectGarbage');
      return (await session.send('Runtime.getHeapUsage')).usedSize;
    };
    const sizesOf: number[] = [];
    for (let problem = 0; problem < 7; problem++) {
      await page.locator('.settings select').first().selectOption(`problem ${problem}`);
      await page.waitForFunction(
        `document.querySelector('code.command').textContent.includes('--problem ${problem} ')`,
      );
      await settled(1);
      sizesOf.push(await heap());
    }
    // A decode that is kept weighs more than a megabyte; the first ones warm caches.
    expect(sizesOf[6] - sizesOf[3]).toBeLessThan(2e6);
  });

  it('has no serious finding of axe and nothing beside the screen, light and dark, wide and narrow', async () => {
    await open(PAIR);
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
    // Every element is there at every width, and colours follow the scheme alone: two of the four say it of all.
    for (const [colorScheme, width] of [
      ['light', 1360],
      ['dark', 390],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const { violations } = (await page.evaluate('axe.run({ preload: false })')) as AxeResults;
      const found = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        found.map(
          ({ id, nodes }) =>
            `${id}: ${nodes
              .map(({ html }) => html)
              .join(' ')
              .slice(0, 300)}`,
        ),
        `${colorScheme}, ${width} wide`,
      ).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    }
  });

  it('asks for nothing, reports nothing, and is small', () => {
    expect(requests.filter((url) => !/^(file|data|blob|about):/.test(url))).toEqual([]);
    expect(problems).toEqual([]);
    expect(sizes.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(8e6);
  });
});
