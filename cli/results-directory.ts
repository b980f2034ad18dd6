import { join, resolve } from 'node:path';

/** Where runs are kept when nothing is said: `results` in the current folder. */
export function resultsDirectory(given: string | undefined): string {
  return resolve(given ?? 'results');
}

/** Where `ablate` writes and `report` reads when nothing is said. */
export const ABLATION_DIRECTORY = join('results', 'ablation', 'latest');
