import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { project } from '../../src/util/project-root.js';

const { root } = project();

function pagesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '.' ? name : `${folder}/${name}`));
}

/** Pages that say how things are now. The changelog and the decisions say how they were. */
export const PAGES: readonly string[] = ['.', 'docs', 'docs/howto', 'notebooks', 'results']
  .flatMap(pagesIn)
  .filter((page) => page !== 'CHANGELOG.md');

/** Pages whose links are to work. */
export const LINKING_PAGES: readonly string[] = [...PAGES, ...pagesIn('docs/adr')];
