import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EnvironmentError } from '../errors.js';

/**
 * Writes a file so that a reader sees the old content or all of the new one, never a part: a temporary file in
 * the same directory, flushed, then renamed. The temporary file is removed if anything fails.
 *
 * Synchronous on purpose: no signal handler can run between creating the temporary file and renaming it, so
 * Ctrl-C leaves nothing behind.
 *
 * @throws EnvironmentError when the place cannot be written.
 */
export function atomicWriteFile(path: string, content: string | Uint8Array): void {
  const directory = dirname(path);
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    mkdirSync(directory, { recursive: true });
    const file = openSync(temporary, 'wx');
    try {
      fill(file, typeof content === 'string' ? Buffer.from(content, 'utf8') : content);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  } catch (error) {
    throw new EnvironmentError(
      `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Writes, flushes and closes. `writeSync` may write less than asked (full disk, pipes). */
function fill(file: number, bytes: Uint8Array): void {
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
