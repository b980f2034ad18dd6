import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ladderMarkdown } from '../experiments/studies/ladder/markdown.js';
import { readSummary } from '../experiments/studies/ladder/summary-file.js';
import { project } from '../src/util/project-root.js';

const { root } = project();
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('README', () => {
  it('shows the reference results as they are in the file', () => {
    const summary = readSummary(join(root, 'results/reference/ablation/summary.json'));
    const shown = readme.split('<!-- ladder:begin -->\n')[1].split('\n<!-- ladder:end -->')[0];
    expect(shown).toBe(ladderMarkdown(summary));
  });

  it('shows the model that is shipped', () => {
    const summary = readSummary(join(root, 'results/reference/ablation/summary.json'));
    const card = readFileSync(join(root, 'models/tiny-llada/MODEL_CARD.md'), 'utf8');
    expect(card).toContain(summary.model.sha256);
  });

  it('links only to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1]);
    expect(links.length).toBeGreaterThan(0);
    for (const link of links) expect(existsSync(join(root, link)), link).toBe(true);
  });
});
