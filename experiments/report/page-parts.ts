import { join } from 'node:path';
import { UsageError } from '../../src/errors.js';
import { readJson } from '../../src/util/read-file.js';
import { readResult } from '../comparison/result.js';
import { headlinesMarkdown } from '../studies/alternatives/markdown.js';
import { ladderMarkdown } from '../studies/ladder/markdown.js';
import { readSummary } from '../studies/ladder/summary-file.js';
import { qualityMarkdown } from '../studies/quality/markdown.js';
import type { QualityTable } from '../studies/quality/table.js';
import { recoveryMarkdown } from '../studies/recovery/markdown.js';
import type { RecoveryTable } from '../studies/recovery/run.js';
import { rivalsMarkdown } from '../studies/rivals/markdown.js';
import { stagingMarkdown } from '../studies/staging/markdown.js';
import { attacksMarkdown } from './attacks/attacks.js';
import { headlineMarkdown } from './attacks/headline.js';

/** A part of a page that is made from a reference result and stands between two comments with its name. */
export interface PagePart {
  readonly name: string;
  /** From the root of the project. */
  readonly page: string;
  /** @param root of the project */
  readonly text: (root: string) => string;
}

const reference = (root: string, file: string): string => join(root, 'results/reference', file);

/** A table of the project's own. */
const quality = (name: string, page: string): PagePart => ({
  name,
  page,
  text: (root) => qualityMarkdown(readJson(reference(root, `quality/${name}.json`)) as QualityTable),
});

const QUALITY_PAGE = 'results/reference/quality/README.md';

export const PAGE_PARTS: readonly PagePart[] = [
  {
    name: 'ladder',
    page: 'docs/results.md',
    text: (root) => ladderMarkdown(readSummary(reference(root, 'ablation/summary.json'))),
  },
  {
    name: 'alternatives',
    page: 'docs/results.md',
    text: (root) => headlinesMarkdown(readResult(reference(root, 'reproduce/alternatives/result.json'))),
  },
  {
    name: 'rivals',
    page: 'docs/results.md',
    text: (root) => rivalsMarkdown(readResult(reference(root, 'reproduce/rivals/result.json'))),
  },
  {
    name: 'staging',
    page: 'docs/results.md',
    text: (root) => stagingMarkdown(readResult(reference(root, 'reproduce/staging-mechanisms/result.json'))),
  },
  {
    name: 'headline',
    page: 'README.md',
    text: (root) => headlineMarkdown(join(root, 'results/reference')),
  },
  {
    name: 'attacks',
    page: 'docs/results.md',
    text: (root) => attacksMarkdown(join(root, 'results/reference')),
  },
  quality('techniques', 'docs/results.md'),
  quality('hard', 'docs/results.md'),
  {
    name: 'recovery',
    page: QUALITY_PAGE,
    text: (root) => recoveryMarkdown(readJson(reference(root, 'quality/recovery.json')) as RecoveryTable),
  },
  quality('full-canvas', QUALITY_PAGE),
  ...['pruned-ffn25', 'pruned-ffn50', 'pruned-2of4'].map((name) => quality(name, QUALITY_PAGE)),
];

/** What stands in a page for a part. @throws UsageError when the page has no place for it */
export function shownPart(page: string, { name, page: path }: PagePart): string {
  const [begin, end] = [page.indexOf(`${opening(name)}\n`), page.indexOf(`\n${closing(name)}`)];
  if (begin < 0 || end < begin) throw new UsageError(`${path} has no ${opening(name)} ... ${closing(name)}`);
  return page.slice(begin + opening(name).length + 1, end);
}

/** The page with a part as its result has it now. @throws as `shownPart` */
export function withPart(page: string, part: PagePart, root: string): string {
  const { name } = part;
  const place = `${opening(name)}\n${shownPart(page, part)}\n${closing(name)}`;
  return page.replace(place, () => `${opening(name)}\n${part.text(root)}\n${closing(name)}`);
}

const opening = (name: string): string => `<!-- ${name}:begin -->`;
const closing = (name: string): string => `<!-- ${name}:end -->`;
