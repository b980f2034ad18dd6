import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { readJson } from '../../src/util/read-file.js';

/** Name of the Python package that carries the plugin and Qualcomm's libraries. */
export const QNN_PACKAGE = 'onnxruntime-qnn';

/** One wheel of the package: the bytes are pinned, so that a run record means the same everywhere. */
export interface QnnPackage {
  readonly version: string;
  /** `process.platform`-`process.arch` that it is for. */
  readonly machine: string;
  /** Platform tag of the wheel. */
  readonly tag: string;
  readonly sha256: string;
  /** Size of the wheel. */
  readonly megabytes: number;
  /** What it is taken for. */
  readonly purpose: string;
  /** Libraries that it has to carry. */
  readonly libraries: readonly string[];
}

const linuxLibraries = (...backends: readonly string[]) => ['libonnxruntime_providers_qnn.so', ...backends];

/**
 * The wheels that this project was tried with (for Python 3.11: the libraries in it do not depend on Python). Two for
 * Linux x86-64, because none has both: only 2.3.0 carries the reference backend, later ones a newer emulator.
 */
export const QNN_PACKAGES: readonly QnnPackage[] = [
  {
    version: '2.3.0',
    machine: 'linux-x64',
    tag: 'manylinux_2_35_x86_64',
    megabytes: 93.2,
    sha256: '087bb672ca0cabd3c7fed07084478fe78658cfa09fae1cb013099d7b2289dc72',
    purpose: 'QNN CPU reference backend (libQnnCpu.so)',
    libraries: linuxLibraries('libQnnCpu.so', 'libQnnHtp.so'),
  },
  {
    version: '2.7.0',
    machine: 'linux-x64',
    tag: 'manylinux_2_35_x86_64',
    megabytes: 98.6,
    sha256: 'c56c01562b8534fe8980cfea4601408d950c065f8251fb862ce82101c52c9849',
    purpose: 'emulation of the NPU (libQnnHtp.so)',
    libraries: linuxLibraries('libQnnHtp.so'),
  },
  {
    version: '2.7.0',
    machine: 'linux-arm64',
    tag: 'manylinux_2_34_aarch64',
    megabytes: 86.7,
    sha256: 'ad08bbfebd7c07ffe83995418303215f46cb25a89e12676f47ee20c32002eaad',
    purpose: 'NPU of a Snapdragon under Linux (libQnnHtp.so, stubs and skeletons)',
    libraries: linuxLibraries('libQnnHtp.so', 'libQnnHtpV73Skel.so'),
  },
  {
    version: '2.7.0',
    machine: 'win32-arm64',
    tag: 'win_arm64',
    megabytes: 62.3,
    sha256: 'b919227025f1feb0d2c5cc4232951de22f738b80995e9d4f2af79c3b66e3c95d',
    purpose: 'NPU of a Snapdragon laptop (QnnHtp.dll, stubs and skeletons)',
    libraries: ['onnxruntime_providers_qnn.dll', 'QnnHtp.dll', 'libQnnHtpV73Skel.so'],
  },
];

/** Members of a wheel that a run needs, with the licences that go with them; nothing else is unpacked. */
export const NEEDED_MEMBERS =
  String.raw`onnxruntime_qnn/((lib)?(onnxruntime_providers_qnn|QnnCpu|QnnHtp|QnnHtpPrepare|QnnHtpV\d+(Stub|Skel)|QnnSystem)\.(so|dll)` +
  String.raw`|libqnnhtpv\d+\.cat|LICENSE|Qualcomm_LICENSE\.pdf|ThirdPartyNotices\.txt)|onnxruntime_qnn\.libs/[^/]+`;

const manifestSchema = z.strictObject({
  package: z.string(),
  version: z.string(),
  machine: z.string(),
  wheel: z.strictObject({ name: z.string(), sha256: z.string(), bytes: z.int() }),
  files: z.array(z.string()),
});

/** What was unpacked, from what; written last, so that its presence means that everything is there. */
export type PackageManifest = z.infer<typeof manifestSchema>;

export function packageDirectory(cache: string, { version, machine }: QnnPackage): string {
  return join(cache, 'qnn', `${version}-${machine}`);
}

export const MANIFEST_FILE = 'manifest.json';
/** Where what was said is kept when a package could last not be had. */
export function refusalFile(directory: string): string {
  return `${directory}.refused.txt`;
}

/** Folder of an unpacked package's libraries (what `QNN_EP_DIR` names). */
export function libraryDirectory(directory: string): string {
  return join(directory, 'onnxruntime_qnn');
}

/** Packages for this machine, oldest first. */
export function packagesFor(machine = `${process.platform}-${process.arch}`): readonly QnnPackage[] {
  return QNN_PACKAGES.filter((wheel) => wheel.machine === machine);
}

/**
 * Manifest of an unpacked package; null when it is not there.
 * @throws DataError when the manifest is damaged
 */
export async function readManifest(directory: string): Promise<PackageManifest | null> {
  const path = join(directory, MANIFEST_FILE);
  if (!existsSync(path)) return null;
  const parsed = manifestSchema.safeParse(readJson(path));
  if (!parsed.success)
    throw new DataError(`${path} is damaged: remove its folder and fetch the package again`);
  return parsed.data;
}
