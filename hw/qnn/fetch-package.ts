import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError, UsageError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { environmentFailure, oneLine } from '../device-error.js';
import { downloadWheel, unpackWheel, type WheelOptions } from '../runner/wheel.js';
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

export interface FetchOptions extends Omit<WheelOptions, 'stage' | 'byHand'> {
  readonly cache: string;
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
const STAGING_PREFIX = '.fetching-';

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
  const asked = { ...options, stage: STAGE, byHand: BY_HAND };
  const downloaded = await downloadWheel({ ...wheel, package: QNN_PACKAGE }, staging, asked);
  const { name, path } = downloaded;
  const unpacked = join(staging, 'unpacked');
  const files = await unpackWheel(downloaded, unpacked, NEEDED_MEMBERS, STAGE);
  const missing = wheel.libraries.filter((library) => !files.includes(`onnxruntime_qnn/${library}`));
  if (missing.length > 0) throw environmentFailure(STAGE, `${name} does not carry ${missing.join(', ')}`);
  const manifest: PackageManifest = {
    package: QNN_PACKAGE,
    version: wheel.version,
    machine: wheel.machine,
    wheel: { name, sha256: wheel.sha256, bytes: statSync(path).size },
    files: [...files],
  };
  atomicWriteFile(join(unpacked, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}

const BY_HAND = 'Get the wheel another way, unpack it and set QNN_EP_DIR to its folder onnxruntime_qnn';
