import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OrtHost } from '../../../hw/ort/host.js';
import { type QnnBackend, qnnConfiguration } from '../../../hw/qnn/configuration.js';
import {
  libraryDirectory,
  packageDirectory,
  packagesFor,
  readManifest,
  refusalFile,
} from '../../../hw/qnn/packages.js';
import { cacheDirectory } from '../../../src/util/cache-directory.js';

/** Folder of a genuine package, or why it cannot be used here. */
export type Genuine = { readonly directory: string; readonly missing: null } | { readonly missing: string };

/**
 * A package that `npm run qnn:fetch` put into the cache, tried once: where the plugin does not even load, the tests that
 * need it count as skipped, and the reason is printed.
 * @param tests how many tests depend on it
 */
export async function genuine(version: string, backend: QnnBackend, tests: number): Promise<Genuine> {
  const found = await find(version, backend);
  if (found.missing !== null) {
    process.stderr.write(
      `skipped: onnxruntime-qnn ${version} (${backend}), ${tests} tests: ${found.missing}\n`,
    );
  }
  return found;
}

async function find(version: string, backend: QnnBackend): Promise<Genuine> {
  const machine = 'linux-x64';
  const wheel = packagesFor(machine).find((known) => known.version === version)!;
  if (`${process.platform}-${process.arch}` !== machine) return { missing: `only for ${machine}` };
  const place = packageDirectory(cacheDirectory(), wheel);
  if ((await readManifest(place)) === null) {
    const said = refusalFile(place);
    return {
      missing: existsSync(said) ? readFileSync(said, 'utf8').trim() : 'not fetched (npm run qnn:fetch)',
    };
  }
  const directory = libraryDirectory(place);
  try {
    const { plugin, backendFile } = qnnConfiguration({ directory, backend, halves: false });
    const unmet = unmetLibraries([plugin.path, backendFile, join(directory, 'libQnnSystem.so')]);
    if (unmet.length > 0) return { missing: `this system lacks ${unmet.join(', ')}` };
    await (await OrtHost.start({ plugin })).host.stop();
    return { directory, missing: null };
  } catch (error) {
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

/** What the loader would miss: a backend is loaded only when a session is opened. */
function unmetLibraries(libraries: readonly string[]): string[] {
  const text = execFileSync('ldd', libraries, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const lines = text.split('\n').filter((line) => line.includes('not found'));
  return [...new Set(lines.map((line) => line.trim().split(' ')[0]))];
}

/** For blocks that are skipped without it. */
export function directoryOf(found: Genuine): string {
  if (found.missing !== null) throw new Error(found.missing);
  return found.directory;
}
