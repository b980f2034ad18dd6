import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { DataError, EnvironmentError } from '../errors.js';

/**
 * Content of a JSON file, not yet checked against a schema.
 * @throws EnvironmentError when it cannot be read; DataError when it is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  return parse(path, await readFile(path, 'utf8').catch((error: unknown) => unreadable(path, error)));
}

/** As `readJson`, at once: for the project's own small data. */
export function readJsonSync(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return unreadable(path, error);
  }
  return parse(path, text);
}

function unreadable(path: string, error: unknown): never {
  throw new EnvironmentError(
    `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
  );
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError(`${path}: not JSON`);
  }
}
