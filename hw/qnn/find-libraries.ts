import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { libraryDirectory, packageDirectory, packagesFor, readManifest } from './packages.js';

/**
 * Folder of QNN's libraries: what `QNN_EP_DIR` names, else the newest fetched package that carries the library.
 * Undefined when there is neither.
 * @param library file name that is needed, e.g. `libQnnCpu.so`
 */
export async function findLibraries(
  env: Readonly<Record<string, string | undefined>>,
  cache: string,
  library: RegExp,
): Promise<string | undefined> {
  if (env.QNN_EP_DIR) return env.QNN_EP_DIR;
  for (const wheel of [...packagesFor()].reverse()) {
    const directory = packageDirectory(cache, wheel);
    const name = wheel.libraries.find((file) => library.test(file));
    if (name === undefined || (await readManifest(directory)) === null) continue;
    if (existsSync(join(libraryDirectory(directory), name))) return libraryDirectory(directory);
  }
  return undefined;
}

/** Library of each QNN backend. */
export const BACKEND_LIBRARIES = { cpu: /^(lib)?QnnCpu\./, htp: /^(lib)?QnnHtp\./ } as const;
