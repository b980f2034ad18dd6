import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { LINKING_PAGES, PAGES } from './pages.js';

const { root } = project();
const text = (page: string): string => readFileSync(join(root, page), 'utf8');

/** Names of headings, as links to them are written. */
function anchors(page: string): string[] {
  return [...text(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What is wrong with a link; null when it leads somewhere. */
function broken(page: string, link: string): string | null {
  const [path, anchor] = link.split('#');
  const target = path === '' ? page : normalize(join(dirname(page), path));
  if (!existsSync(join(root, target))) return `${link}: no ${target}`;
  if (anchor === undefined || !target.endsWith('.md')) return null;
  return anchors(target).includes(anchor) ? null : `${link}: no such heading in ${target}`;
}

/** A path, or one with stars in the name of the file. */
function exists(path: string): boolean {
  if (!path.includes('*')) return existsSync(join(root, path));
  const folder = join(root, dirname(path));
  const name = path
    .slice(path.lastIndexOf('/') + 1)
    .replaceAll('.', '\\.')
    .replaceAll('*', '.*');
  return existsSync(folder) && readdirSync(folder).some((entry) => new RegExp(`^${name}$`).test(entry));
}

/** Not kept in the repository. */
const MADE = 'docs/api/';

/** Paths in backquotes that begin in a folder of the project; capitals stand for something of the reader's. */
function paths(page: string): string[] {
  const spans = [
    ...text(page)
      .replace(/^(```|~~~)[\s\S]*?^\1/gm, '')
      .matchAll(/`([^`\s]+)`/g),
  ];
  return spans
    .map(([, span]) => span.replace(/[.,:]$/, ''))
    .filter((span) => /^(bench|cli|docs|experiments|hw|models|notebooks|sim|src|test|tools)\//.test(span))
    .filter((span) => span !== MADE && (!/[A-Z]{3,}/.test(span) || exists(span)));
}

describe('pages', () => {
  it.each(LINKING_PAGES)('%s links to what exists', (page) => {
    const links = [...text(page).matchAll(/\]\((?!https?:|mailto:)([^)]+)\)/g)].map(([, link]) => link);
    expect(links.flatMap((link) => broken(page, link) ?? [])).toEqual([]);
  });

  it.each(PAGES)('%s names paths that exist', (page) => {
    // A page that says how to add something names files that the reader makes: their folder is there.
    const there = page.startsWith('docs/howto/')
      ? (path: string) => exists(path) || exists(dirname(path))
      : exists;
    expect(paths(page).filter((path) => !there(path))).toEqual([]);
  });

  it('are found', () => {
    expect(PAGES).toContain('docs/architecture.md');
    expect(paths('docs/architecture.md').length).toBeGreaterThan(20);
  });
});

describe('decisions', () => {
  const index = text('docs/adr/README.md').split('\n');
  const files = readdirSync(join(root, 'docs/adr')).filter((name) => name !== 'README.md');

  it.each(files)('%s is in the index with its title and status', (file) => {
    const page = text(`docs/adr/${file}`);
    const [, number, title] = /^# (\d{3}) (.+)$/m.exec(page) ?? [];
    const [, status] = /^Status: (.+)$/m.exec(page) ?? [];
    expect(file.slice(0, 3)).toBe(number);
    const row = `| [${number}](${file}) | ${title} | ${status} |`;
    expect(index.find((line) => line.includes(file))).toBe(row);
  });

  it('have a number each', () => {
    expect(new Set(files.map((file) => file.slice(0, 3))).size).toBe(files.length);
  });
});
