import { readdirSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { CLIENT_SCRIPT } from '../../experiments/report/client-script.js';
import { escapeHtml, html, inlineSvg } from '../../experiments/report/html.js';
import { renderReport } from '../../experiments/report/page.js';
import { writeReport } from '../../experiments/report/write-report.js';
import type { AblationSummary } from '../../experiments/studies/ladder/types.js';
import { syntheticSummary } from '../support/synthetic-summary.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const EVIL = '</script><img src=x onerror=alert(1)>"\'&';

let page = '';
let hostile = '';
beforeAll(async () => {
  page = await renderReport(syntheticSummary());
  const summary = syntheticSummary();
  const [carpet] = summary.carpet;
  const [row, ...rows] = summary.rows;
  hostile = await renderReport({
    ...summary,
    notes: [EVIL],
    command: EVIL,
    rows: [{ ...row!, name: EVIL, policy: EVIL }, ...rows],
    carpet: [
      { ...carpet!, row: EVIL, prompt: { index: 0, text: EVIL }, pieces: carpet!.pieces.map(() => EVIL) },
    ],
  });
});

const embedded = (text: string): AblationSummary =>
  JSON.parse(/<script type="application\/json" id="summary">(.*?)<\/script>/s.exec(text)?.[1] ?? '');

describe('report', () => {
  it('asks for nothing outside itself', () => {
    const withoutNamespaces = page.replace(/xmlns(:xlink)?="http:\/\/www\.w3\.org\/[^"]*"/g, '');
    const withoutData = withoutNamespaces.replace(/<script type="application\/json".*?<\/script>/s, '');
    expect(withoutData).not.toMatch(/https?:\/\//);
    expect(withoutData).not.toMatch(/\b(src|srcset|action|poster)\s*=/i);
    expect(withoutData).not.toMatch(/@import|@font-face/);
    for (const [, target] of withoutData.matchAll(/\bhref="([^"]*)"/g))
      expect(target).toMatch(/^(#|data:,$)/);
    for (const [, target] of withoutData.matchAll(/url\(([^)]*)\)/g)) expect(target).toMatch(/^#/);
  });

  it('carries all of its data', () => {
    expect(embedded(page)).toEqual(syntheticSummary());
  });

  it('shows hostile text as text', () => {
    expect(hostile).not.toContain('<img src=x');
    expect(embedded(hostile).notes).toEqual([EVIL]);
    expect(hostile.match(/<script/g)).toHaveLength(2);
  });

  it('has no id twice and no link into nothing', () => {
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/(?:href="|url\()#([^")]+)/g)) expect(ids).toContain(target);
  });

  it('closes every element it opens', () => {
    const markup = page.replace(/<script.*?<\/script>/gs, '').replace(/<style.*?<\/style>/s, '');
    for (const tag of [
      'section',
      'table',
      'thead',
      'tbody',
      'tr',
      'td',
      'div',
      'figure',
      'svg',
      'main',
      'ul',
      'p',
    ]) {
      const opened = markup.match(new RegExp(`<${tag}[\\s>]`, 'g'))?.length ?? 0;
      const closed = markup.match(new RegExp(`</${tag}>`, 'g'))?.length ?? 0;
      expect([tag, closed]).toEqual([tag, opened]);
    }
  });

  it('has a script that parses', () => {
    expect(() => new Function(CLIENT_SCRIPT)).not.toThrow();
  });

  it('says what decided, what was timed, and that nothing was measured', () => {
    for (const text of [
      'synthetic-model',
      'synthetic-8b',
      'synthetic-soc',
      'No row is a\nmeasurement on a device',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('has the same bytes every time', async () => {
    expect(await renderReport(syntheticSummary())).toBe(page);
  });

  it('works without carpet and timeline', async () => {
    const bare = await renderReport({ ...syntheticSummary(), carpet: [], timeline: [] });
    expect(bare).not.toContain('id="carpet"');
    expect(bare).not.toContain('href="#timeline"');
  });

  it('is written with its figures and nothing else', async () => {
    const directory = temporaryDirectory();
    const files = await writeReport(directory, syntheticSummary());
    expect(readdirSync(directory).sort()).toEqual(
      files.map((file) => file.slice(directory.length + 1)).sort(),
    );
    expect(files).toHaveLength(13);
  });
});

describe('html', () => {
  it('escapes values and keeps markup', () => {
    expect(html`<b>${EVIL}</b>${html`<i>${1}</i>`}${null}`.text).toBe(`<b>${escapeHtml(EVIL)}</b><i>1</i>`);
    expect(escapeHtml(EVIL)).not.toMatch(/[<>"']/);
  });

  it('keeps the ids of two figures apart', () => {
    const svg = '<svg viewBox="0 0 1 1"><clipPath id="clip0"/><g clip-path="url(#clip0)"/></svg>';
    expect(inlineSvg(svg, 'a', 'label').text).toContain(
      '<clipPath id="a-clip0"/><g clip-path="url(#a-clip0)"/>',
    );
  });
});
