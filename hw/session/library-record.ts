import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cannotRead } from '../../src/util/read-file.js';
import { readManifest } from '../qnn/packages.js';
import { type FileRecord, fileRecord } from '../record/device-record.js';

/** Longer than any build id, so that one that lies across two pieces of the file is still found. */
const OVERLAP_BYTES = 64;
const BUILD_ID = /v\d+\.\d+\.\d+\.\d{8,14}/;

/** What was read of libraries, by path and state of the file. */
const known = new Map<string, Promise<FileRecord>>();

/**
 * Name, SHA-256, size and version of a library: of QNN's the build id that it holds itself (`v2.47.0.260601114230`), of the
 * plugin the version of its package; null when nothing says it. QNN's have a hundred megabytes: as long as the file is the
 * same, by inode, size and times, it is read once in a process.
 * @throws EnvironmentError when it cannot be read
 */
export async function libraryRecord(path: string): Promise<FileRecord> {
  const key = `${path}\0${stateOf(path)}`;
  const reading = known.get(key) ?? recordWithBuildId(path);
  known.set(key, reading);
  const record = await reading;
  if (!/providers_qnn/.test(record.name)) return record;
  return { ...record, version: await pluginVersion(dirname(path)) };
}

function stateOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (error) {
    throw cannotRead(path, error);
  }
}

async function recordWithBuildId(path: string): Promise<FileRecord> {
  const name = basename(path);
  const holdsBuildId = /Qnn|Htp/.test(name) && !/providers_qnn/.test(name);
  return fileRecord(path, holdsBuildId ? await buildId(path) : null);
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
