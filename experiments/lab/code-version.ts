import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { project } from '../../src/util/project-root.js';

/**
 * Folders whose code and data decide what a run computes. Studies, figures and commands are not among them: they only
 * list runs and read results.
 */
export const CODE_FOLDERS = ['src', 'sim', 'experiments/lab'] as const;
/** Data that a run names among its inputs when it depends on it. */
const NAMED_INPUTS = ['sim/hardware/profiles/', 'experiments/lab/deciders/synthetic/fitted.json'] as const;

let known: string | undefined;

/**
 * SHA-256 over the code that computes results, and the data that is as good as code: part of every run's address, so
 * that a result of other code is never taken for one of this.
 */
export function codeVersion(): string {
  const self = fileURLToPath(import.meta.url);
  known ??= hashCode(join(dirname(self), '..', '..'), project().root, extname(self));
  return known;
}

/**
 * @param code the tree that is executed: of TypeScript, or what was built of it
 * @param data the tree that holds the JSON files
 * @param extension of executed files, `.ts` or `.js`
 */
export function hashCode(code: string, data: string, extension: string): string {
  const hash = createHash('sha256');
  const add = (root: string, file: string): void => {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  };
  for (const file of filesOf(code))
    if (extname(file) === extension && !file.endsWith('.d.ts')) add(code, file);
  for (const file of filesOf(data)) {
    if (extname(file) === '.json' && !NAMED_INPUTS.some((named) => file.startsWith(named))) add(data, file);
  }
  return hash.digest('hex');
}

/** Files of the folders, with forward slashes, in order. */
function filesOf(root: string): string[] {
  return CODE_FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      `${folder}/${name}`.replaceAll('\\', '/'),
    ),
  ).sort();
}
