import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResult } from '../../experiments/comparison/result.js';
import { ladderMarkdown } from '../../experiments/studies/ladder/markdown.js';
import { readSummary } from '../../experiments/studies/ladder/summary-file.js';
import { project } from '../../src/util/project-root.js';

const { root } = project();
const summary = readSummary(join(root, 'results/reference/ablation/summary.json'));

describe('the page of results', () => {
  it('shows the reference ladder as it is in the file', () => {
    const page = readFileSync(join(root, 'docs/results.md'), 'utf8');
    const shown = page.split('<!-- ladder:begin -->\n')[1].split('\n<!-- ladder:end -->')[0];
    expect(shown).toBe(ladderMarkdown(summary));
  });

  it('shows the model that is shipped', () => {
    const card = readFileSync(join(root, 'models/tiny-llada/MODEL_CARD.md'), 'utf8');
    expect(card).toContain(summary.model.sha256);
  });
});

describe('README', () => {
  it('can be read in five minutes', () => {
    expect(readFileSync(join(root, 'README.md'), 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(
      120,
    );
  });

  it('counts the predicted bands as the reference results do', () => {
    const results = join(root, 'results/reference/reproduce');
    const studies = readdirSync(results, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const banded = studies
      .flatMap(({ name }) => readResult(join(results, name, 'result.json')).rows)
      .filter(({ kind, band }) => kind === 'predicted' && band !== null);
    const met = banded.filter(({ pass }) => pass === true).length;
    expect(banded.length).toBeGreaterThan(0);
    expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(
      `**${met} of ${banded.length} predicted bands are met and ${banded.length - met} missed**`,
    );
  });
});
