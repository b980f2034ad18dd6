import { readFile } from 'node:fs/promises';
import { DataError, EnvironmentError } from '../errors.js';

/**
 * Content of a JSON file, not yet checked against a schema.
 * @throws EnvironmentError when it cannot be read; DataError when it is not JSON
 */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new EnvironmentError(
      `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new DataError(`${path}: not JSON`);
  }
}
