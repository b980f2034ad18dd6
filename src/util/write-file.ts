import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { EnvironmentError } from '../errors.js';

/** For those who wait for a large file. */
export interface WriteProgress {
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Stops between two pieces; nothing is left behind. */
  readonly signal?: AbortSignal;
}

/**
 * Writes a large file piece by piece under a temporary name in the same directory and renames it when `write` is
 * done: a reader sees the old file or the whole new one. Nothing is left behind when `write` fails.
 * @throws EnvironmentError when the place cannot be written or is full; else what `write` throws
 */
export async function writeFileInPieces(
  path: string,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const file = await create(path, temporary);
  try {
    await write(file);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw isFull(error) ? new EnvironmentError(`cannot write ${path}: ${error.message}`) : error;
  }
}

async function create(path: string, temporary: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(temporary, 'wx');
  } catch (error) {
    throw new EnvironmentError(
      `cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** No space, no quota, or a file larger than the file system allows. */
function isFull(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'].includes(String(error.code))
  );
}
