import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EnvironmentError } from '../errors.js';

/**
 * Makes sure, before a long run, that its results can be written. Creates nothing.
 * @param path directory that exists or can be made; undefined is not asked for
 * @throws EnvironmentError naming what stands in the way
 */
export function checkWritableDirectory(path: string | undefined): void {
  if (path !== undefined) check(path, resolve(path));
}

/**
 * The same for a file, which is written by renaming: its directory must take a new one.
 * @param path undefined is not asked for
 * @throws EnvironmentError naming what stands in the way
 */
export function checkWritableFile(path: string | undefined): void {
  if (path === undefined) return;
  if (existsSync(path) && statSync(path).isDirectory()) {
    throw new EnvironmentError(`cannot write ${path}: it is a directory`);
  }
  check(path, dirname(resolve(path)));
}

/** @param directory that `path` is or lies in */
function check(path: string, directory: string): void {
  let existing = directory;
  while (!existsSync(existing) && dirname(existing) !== existing) {
    existing = dirname(existing);
  }
  if (!statSync(existing).isDirectory()) {
    throw new EnvironmentError(`cannot write ${path}: ${existing} is not a directory`);
  }
  try {
    accessSync(existing, constants.W_OK);
  } catch (error) {
    const readOnly = (error as NodeJS.ErrnoException).code === 'EROFS';
    const why = readOnly
      ? `${existing} is on a read-only file system`
      : `no permission to write in ${existing}`;
    throw new EnvironmentError(`cannot write ${path}: ${why}`);
  }
}
