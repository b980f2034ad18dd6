import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readResults, scoreboardOf, withScoreboard } from '../../experiments/comparison/scoreboard.js';
import { PAGE_PARTS, shownPart, withPart } from '../../experiments/report/page-parts.js';
import { readSummary } from '../../experiments/studies/ladder/summary-file.js';
import { EnvironmentError, UsageError } from '../../src/errors.js';
import { project } from '../../src/util/project-root.js';

const { root } = project();
const summary = readSummary(join(root, 'results/reference/ablation/summary.json'));

describe('the page of results', () => {
  it.each(PAGE_PARTS)('shows $name as the reference result has it', (part) => {
    const page = readFileSync(join(root, part.page), 'utf8');
    expect(shownPart(page, part)).toBe(part.text(root));
    expect(withPart(page.replace(part.text(root), 'an older text'), part, root)).toBe(page);
    expect(() => shownPart('no such place', part)).toThrow(UsageError);
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
});

describe('the scoreboard', () => {
  const board = scoreboardOf(readResults(join(root, 'results/reference/reproduce')));

  it.each(['README.md', 'results/reference/README.md'])('of %s is that of the reference results', (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    expect(text).toBe(withScoreboard(text, board, page));
    expect(text).toMatch(new RegExp(`${board.missed} missed\\.?\\*\\*`));
  });

  it('counts every band of every result, and names its largest errors', () => {
    const rows = readResults(join(root, 'results/reference/reproduce')).flatMap((result) => result.rows);
    expect(board.missed).toBe(rows.filter(({ pass }) => pass === false).length);
    expect(board.met).toBe(rows.filter(({ pass }) => pass === true).length);
    expect(board.figures.reduce((sum, { missed }) => sum + missed, 0)).toBe(board.missed);
    expect(board.kinds.reduce((sum, { met }) => sum + met, 0)).toBe(board.met);
    expect(board.worst.length).toBe(5);
  });

  it('refuses a page without a place, and a directory without results', () => {
    expect(() => withScoreboard('text', board, 'page')).toThrow(UsageError);
    expect(() => readResults(join(root, 'docs'))).toThrow();
    expect(() => readResults(join(root, 'nowhere'))).toThrow(EnvironmentError);
  });
});
