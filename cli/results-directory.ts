import { resolve } from 'node:path';

/** Where runs are kept when nothing is said: `results` in the current folder. */
export function resultsDirectory(given: string | undefined): string {
  return resolve(given ?? 'results');
}
