import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileSha256 } from '../../src/model/load.js';
import { environmentFailure, oneLine } from '../device-error.js';
import { spawnCollect } from './spawn-collect.js';

/** A package of the Python registry whose bytes are pinned. */
export interface Wheel {
  readonly package: string;
  readonly version: string;
  readonly sha256: string;
  /** Size, for the progress. */
  readonly megabytes: number;
  /** Platform tag, where it is not for every machine. */
  readonly tag?: string;
}

/** How a wheel is fetched. */
export interface WheelOptions {
  /** What is under way, for errors. */
  readonly stage: string;
  /** What to do without pip, for errors. */
  readonly byHand: string;
  /** For the download. Default 8 minutes. */
  readonly timeoutMs?: number;
  /** Commands that may be Python; the first that has pip is used. */
  readonly pythons?: readonly string[];
  /** Environment of pip, e.g. its configuration. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onProgress?: (doneMegabytes: number, totalMegabytes: number) => void;
  readonly signal?: AbortSignal;
}

/** A wheel that was downloaded and checked. */
export interface DownloadedWheel {
  readonly name: string;
  readonly path: string;
  /** The Python that unpacks it. */
  readonly python: string;
}

const DOWNLOAD_TIMEOUT_MS = 8 * 60_000;
const UNPACK_TIMEOUT_MS = 120_000;
const POLL_MS = 500;
const PYTHONS = process.platform === 'win32' ? ['python', 'py'] : ['python3', 'python'];

/** Python has a zip reader of its own, so that no other tool is needed. Prints the members it unpacked. */
const UNPACK = `
import json, re, sys, zipfile
wheel, target, pattern = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [name for name in archive.namelist() if re.fullmatch(pattern, name)]
    archive.extractall(target, names)
print(json.dumps(sorted(names)))
`;

/**
 * Downloads a wheel into a folder by the user's own pip, and checks its SHA-256.
 * @throws DeviceError when there is no Python with pip, pip refuses or takes too long, or the wheel is another one
 */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  options: WheelOptions,
): Promise<DownloadedWheel> {
  const { stage, byHand, timeoutMs = DOWNLOAD_TIMEOUT_MS, onProgress, signal } = options;
  const python = await pythonWithPip(options.pythons ?? PYTHONS, stage);
  const argv = [python, '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'];
  argv.push('--disable-pip-version-check', '--no-input', '--quiet', '--dest', folder);
  if (wheel.tag !== undefined)
    argv.push('--platform', wheel.tag, '--implementation', 'cp', '--python-version', '3.11');
  argv.push(`${wheel.package}==${wheel.version}`);
  // pip shows no progress without a terminal: what lies in its temporary folder is the progress.
  const env = { ...options.env, TMPDIR: folder, TEMP: folder, TMP: folder };
  const timer = setInterval(() => onProgress?.(bytesIn(folder) / 1e6, wheel.megabytes), POLL_MS);
  const pip = await spawnCollect(argv, { timeoutMs, env, signal }).finally(() => clearInterval(timer));
  const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (pip.timedOut || pip.code !== 0 || name === undefined) {
    const said = pip.timedOut ? `did not end within ${timeoutMs / 1000} s` : `said: ${saidBy(pip)}`;
    throw environmentFailure(stage, `pip ${said}`, byHand);
  }
  const path = join(folder, name);
  const sha256 = await fileSha256(path);
  if (sha256 !== wheel.sha256) {
    const reason = `${name} has SHA-256 ${sha256}, expected ${wheel.sha256}`;
    throw environmentFailure(stage, reason, 'The download is damaged or another file: try again');
  }
  return { name, path, python };
}

/**
 * Unpacks some members of a wheel.
 * @param pattern of their names, as Python writes expressions
 * @returns their names
 * @throws DeviceError for a file that is no archive
 */
export async function unpackWheel(
  { name, path, python }: DownloadedWheel,
  target: string,
  pattern: string,
  stage: string,
): Promise<readonly string[]> {
  const zip = await spawnCollect([python, '-c', UNPACK, path, target, pattern], {
    timeoutMs: UNPACK_TIMEOUT_MS,
  });
  if (zip.code !== 0) throw environmentFailure(stage, `${name} cannot be unpacked: ${saidBy(zip)}`);
  return JSON.parse(zip.stdout) as string[];
}

/** Ends with 0 where there is pip, a fifth of the time that pip takes to say its version. */
const HAS_PIP = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("pip") is None)';

/** @throws DeviceError naming what was tried */
async function pythonWithPip(candidates: readonly string[], stage: string): Promise<string> {
  const tried: string[] = [];
  for (const python of candidates) {
    try {
      const { code } = await spawnCollect([python, '-c', HAS_PIP], { timeoutMs: 30_000 });
      if (code === 0) return python;
      tried.push(`${python} has no pip`);
    } catch {
      tried.push(`${python} is not installed`);
    }
  }
  throw environmentFailure(
    stage,
    tried.join(', '),
    'Install Python 3 with pip (Debian: apt-get install python3-pip)',
  );
}

/** The lines that say what went wrong, or all that was said. */
function saidBy({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }): string {
  const lines = `${stdout}\n${stderr}`.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /^\s*(ERROR|error|OSError)/.test(line));
  return oneLine((errors.length > 0 ? errors : lines.slice(-3)).join(' ')) || 'nothing';
}

function bytesIn(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && existsSync(path)) bytes += statSync(path).size;
  }
  return bytes;
}
