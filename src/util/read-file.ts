import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { DataError, EnvironmentError } from '../errors.js';
import { plainJson } from './plain-json.js';

// Every file that is read whole is opened here, so that what is wrong with it is said, and ends the program, in one
// way: what the file system refuses is the environment's (exit 3), what the content lacks is damage (exit 1).

/** @throws EnvironmentError when it cannot be read */
export function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** @throws EnvironmentError when it cannot be read; DataError when it is not UTF-8 */
export function readText(path: string): string {
  const bytes = readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`${path}: not text (UTF-8)`);
  }
}

/**
 * Content of a JSON file, not yet checked against a schema.
 * @throws EnvironmentError when it cannot be read; DataError when it is not JSON
 */
export function readJson(path: string): unknown {
  return parseJson(readText(path), path);
}

/** @throws EnvironmentError when it cannot be read; DataError naming the file and the item that is wrong */
export function readJsonAs<T>(path: string, schema: z.ZodType<T>): T {
  return parseAs(readJson(path), schema, path);
}

/** @param origin what errors call the text. @throws DataError when it is not JSON */
export function parseJson(text: string, origin: string): unknown {
  try {
    return plainJson(text);
  } catch (error) {
    if (isLfsPointer(text)) throw lfsPointer(origin);
    throw new DataError(`${origin}: not JSON: ${reasonOf(error)}`);
  }
}

/** Whether a file is what Git leaves of a large one when Git LFS has not fetched it (git-lfs/docs/spec.md). */
export function isLfsPointer(text: string): boolean {
  return text.startsWith('version https://git-lfs.github.com/spec/');
}

export function lfsPointer(path: string): EnvironmentError {
  return new EnvironmentError(
    `${path} is a Git LFS pointer, not the file itself: fetch it with "git lfs pull", or download it`,
  );
}

/** @param origin what errors call the data. @throws DataError naming the first item that is wrong */
export function parseAs<T>(data: unknown, schema: z.ZodType<T>, origin: string): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DataError(`${origin}: ${issue.path.join('.') || 'file'}: ${issue.message}`);
}

/** Names in a directory, sorted. @throws EnvironmentError when it cannot be read */
export function readDirectory(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    throw cannotRead(path, error);
  }
}

/** @throws EnvironmentError when there is nothing at the path */
export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw cannotRead(path, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'no permission',
  EPERM: 'no permission',
};

/** What the file system said, as an error that names the file. For those who read a file piece by piece. */
export function cannotRead(path: string, error: unknown): EnvironmentError {
  return new EnvironmentError(`cannot read ${path}: ${reasonOf(error)}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return REASONS[code] ?? error.message;
}
