import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { project } from '../../src/util/project-root.js';

/** Folders whose code decides what a run computes. What only shows results is left out. */
const PARTS = ['src', 'sim', 'experiments'] as const;
/** Data that is as good as code: no run names it among its inputs. */
const DATA = ['src/model/shapes.json'] as const;
const SHOWS_ONLY = new Set(['experiments/figures', 'experiments/report']);

let known: string | undefined;

/**
 * SHA-256 over the code that computes results: part of every run's address, so that a result of other code is
 * never taken for one of this. Changing the command line, a figure or the report leaves it as it is.
 */
export function codeVersion(): string {
  known ??= hashCode();
  return known;
}

function hashCode(): string {
  const self = fileURLToPath(import.meta.url);
  const root = join(dirname(self), '..', '..');
  const hash = createHash('sha256');
  for (const file of PARTS.flatMap((part) => codeFiles(root, join(root, part), extname(self)))) {
    hash
      .update(`${relative(root, file).replaceAll('\\', '/')}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  for (const file of DATA) hash.update(`${file}\0`).update(readFileSync(join(project().root, file)));
  return hash.digest('hex');
}

function codeFiles(root: string, directory: string, extension: string): string[] {
  if (SHOWS_ONLY.has(relative(root, directory).replaceAll('\\', '/'))) return [];
  return readdirSync(directory, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return codeFiles(root, path, extension);
      return extname(entry.name) === extension && !entry.name.endsWith('.d.ts') ? [path] : [];
    });
}
