import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readManifest } from '../qnn/packages.js';

/** Longer than any build id, so that one that lies across two pieces of the file is still found. */
const OVERLAP_BYTES = 64;
const BUILD_ID = /v\d+\.\d+\.\d+\.\d{8,14}/;

/**
 * Version of a library: of QNN's the build id that it holds itself (`v2.47.0.260601114230`), of the plugin the version
 * of its package. Null when nothing says it.
 */
export async function libraryVersion(path: string): Promise<string | null> {
  const name = basename(path);
  if (/providers_qnn/.test(name)) return pluginVersion(dirname(path));
  return /Qnn|Htp/.test(name) ? buildId(path) : null;
}

async function buildId(path: string): Promise<string | null> {
  let tail = '';
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) {
    const text = tail + (piece as Buffer).toString('latin1');
    const found = BUILD_ID.exec(text);
    if (found !== null && found.index + found[0].length < text.length) return found[0];
    tail = text.slice(-OVERLAP_BYTES);
  }
  return null;
}

/** From `build_and_package_info.py`, which lies beside the libraries of the package, or from our own manifest of it. */
async function pluginVersion(directory: string): Promise<string | null> {
  const info = join(directory, 'build_and_package_info.py');
  const text = existsSync(info) ? readFileSync(info, 'utf8') : '';
  const stated = /^__version__\s*=\s*'([^']+)'/m.exec(text)?.[1];
  return stated ?? (await readManifest(dirname(directory)))?.version ?? null;
}
