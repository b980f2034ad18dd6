import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError, UsageError } from '../../src/errors.js';
import { fileSha256 } from '../../src/model/load.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { environmentFailure, oneLine } from '../device-error.js';
import { spawnCollect } from '../runner/spawn-collect.js';
import {
  libraryDirectory,
  MANIFEST_FILE,
  NEEDED_MEMBERS,
  type PackageManifest,
  packageDirectory,
  packagesFor,
  QNN_PACKAGE,
  QNN_PACKAGES,
  type QnnPackage,
  readManifest,
  refusalFile,
} from './packages.js';

export interface FetchOptions {
  readonly cache: string;
  /** For the download. Default 8 minutes. */
  readonly timeoutMs?: number;
  /** Commands that may be Python; the first that has pip is used. */
  readonly pythons?: readonly string[];
  /** Environment of pip, e.g. its configuration. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onProgress?: (doneMegabytes: number, totalMegabytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface Fetched {
  readonly state: 'present' | 'fetched';
  readonly directory: string;
  /** What `QNN_EP_DIR` has to name. */
  readonly libraries: string;
  readonly manifest: PackageManifest;
}

/** A package that a machine can use now. */
export interface UsablePackage {
  readonly version: string;
  readonly purpose: string;
  readonly state: Fetched['state'];
  readonly QNN_EP_DIR: string;
  readonly manifest: PackageManifest;
}

/**
 * Packages for this machine.
 * @param version only this one
 * @throws UsageError when there is no such version; EnvironmentError when there is no package for the machine
 */
export function wantedPackages(
  version?: string,
  machine = `${process.platform}-${process.arch}`,
): readonly QnnPackage[] {
  const here = packagesFor(machine);
  if (here.length === 0) {
    const machines = [...new Set(QNN_PACKAGES.map((wheel) => wheel.machine))].join(', ');
    throw new EnvironmentError(`there is no package of onnxruntime-qnn for ${machine}, only for ${machines}`);
  }
  const wanted = here.filter((wheel) => version === undefined || wheel.version === version);
  if (wanted.length > 0) return wanted;
  const versions = here.map((wheel) => wheel.version).join(', ');
  throw new UsageError(`--package ${version}: for ${machine} there are ${versions}`);
}

/**
 * Fetches packages one after the other. One that cannot be had stands among the refusals: each is of use without the
 * others.
 */
export async function fetchPackages(
  wheels: readonly QnnPackage[],
  { onStart, ...options }: FetchOptions & { readonly onStart?: (wheel: QnnPackage) => void },
): Promise<{ packages: readonly UsablePackage[]; refusals: readonly string[] }> {
  const packages: UsablePackage[] = [];
  const refusals: string[] = [];
  for (const wheel of wheels) {
    const { version, purpose } = wheel;
    try {
      if ((await readManifest(packageDirectory(options.cache, wheel))) === null) onStart?.(wheel);
      const { state, libraries, manifest } = await fetchPackage(wheel, options);
      packages.push({ version, purpose, state, QNN_EP_DIR: libraries, manifest });
    } catch (error) {
      if (!(error instanceof EnvironmentError)) throw error;
      refusals.push(`onnxruntime-qnn ${version}: ${error.message}`);
    }
  }
  return { packages, refusals };
}

const STAGE = 'fetch QNN';
const DOWNLOAD_TIMEOUT_MS = 8 * 60_000;
const UNPACK_TIMEOUT_MS = 120_000;
const POLL_MS = 500;
const STAGING_PREFIX = '.fetching-';
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
 * Makes sure that a package lies unpacked in the cache: downloaded by pip, its SHA-256 checked, only what a run needs
 * unpacked. Does nothing when it is there already. Either all of it appears in the cache or none.
 *
 * What pip said when it refused is kept beside the place (`refused.txt`), for the notice of skipped tests.
 * @throws DeviceError when there is no Python with pip, pip refuses or takes too long, or the wheel is another one
 */
export async function fetchPackage(wheel: QnnPackage, options: FetchOptions): Promise<Fetched> {
  const directory = packageDirectory(options.cache, wheel);
  const libraries = libraryDirectory(directory);
  const known = await readManifest(directory);
  if (known !== null) return { state: 'present', directory, libraries, manifest: known };
  const parent = join(options.cache, 'qnn');
  mkdirSync(parent, { recursive: true });
  const staging = mkdtempSync(join(parent, STAGING_PREFIX));
  const refusal = refusalFile(directory);
  try {
    const manifest = await downloadInto(staging, wheel, options);
    rmSync(refusal, { force: true });
    // A folder without a manifest is what a killed run left.
    rmSync(directory, { recursive: true, force: true });
    renameSync(join(staging, 'unpacked'), directory);
    return { state: 'fetched', directory, libraries, manifest };
  } catch (error) {
    options.signal?.throwIfAborted();
    atomicWriteFile(refusal, `${oneLine(error instanceof Error ? error.message : String(error))}\n`);
    throw error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

async function downloadInto(
  staging: string,
  wheel: QnnPackage,
  options: FetchOptions,
): Promise<PackageManifest> {
  const python = await pythonWithPip(options.pythons ?? PYTHONS);
  const { timeoutMs = DOWNLOAD_TIMEOUT_MS, onProgress, signal } = options;
  const argv = [python, '-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--no-cache-dir'];
  argv.push('--disable-pip-version-check', '--no-input', '--quiet', '--dest', staging);
  argv.push('--platform', wheel.tag, '--implementation', 'cp', '--python-version', '3.11');
  argv.push(`${QNN_PACKAGE}==${wheel.version}`);
  // pip shows no progress without a terminal: what lies in its temporary folder is the progress.
  const env = { ...options.env, TMPDIR: staging, TEMP: staging, TMP: staging };
  const timer = setInterval(() => onProgress?.(bytesIn(staging) / 1e6, wheel.megabytes), POLL_MS);
  const pip = await spawnCollect(argv, { timeoutMs, env, ...(signal ? { signal } : {}) }).finally(() =>
    clearInterval(timer),
  );
  const name = readdirSync(staging).find((file) => file.endsWith('.whl'));
  if (pip.timedOut || pip.code !== 0 || name === undefined) {
    const said = pip.timedOut ? `did not end within ${timeoutMs / 1000} s` : `said: ${saidBy(pip)}`;
    throw environmentFailure(STAGE, `pip ${said}`, BY_HAND);
  }
  const path = join(staging, name);
  const sha256 = await fileSha256(path);
  if (sha256 !== wheel.sha256) {
    const reason = `${name} has SHA-256 ${sha256}, expected ${wheel.sha256}`;
    throw environmentFailure(STAGE, reason, 'The download is damaged or another file: try again');
  }
  const unpacked = join(staging, 'unpacked');
  const zip = await spawnCollect([python, '-c', UNPACK, path, unpacked, NEEDED_MEMBERS], {
    timeoutMs: UNPACK_TIMEOUT_MS,
  });
  if (zip.code !== 0) throw environmentFailure(STAGE, `${name} cannot be unpacked: ${saidBy(zip)}`);
  const files = JSON.parse(zip.stdout) as string[];
  const missing = wheel.libraries.filter((library) => !files.includes(`onnxruntime_qnn/${library}`));
  if (missing.length > 0) throw environmentFailure(STAGE, `${name} does not carry ${missing.join(', ')}`);
  const manifest: PackageManifest = {
    package: QNN_PACKAGE,
    version: wheel.version,
    machine: wheel.machine,
    wheel: { name, sha256, bytes: statSync(path).size },
    files,
  };
  atomicWriteFile(join(unpacked, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

const BY_HAND = 'Get the wheel another way, unpack it and set QNN_EP_DIR to its folder onnxruntime_qnn';

/** @throws DeviceError naming what was tried */
async function pythonWithPip(candidates: readonly string[]): Promise<string> {
  const tried: string[] = [];
  for (const python of candidates) {
    try {
      const { code } = await spawnCollect([python, '-m', 'pip', '--version'], { timeoutMs: 30_000 });
      if (code === 0) return python;
      tried.push(`${python} has no pip`);
    } catch {
      tried.push(`${python} is not installed`);
    }
  }
  throw environmentFailure(
    STAGE,
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
