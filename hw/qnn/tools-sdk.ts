import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { environmentFailure } from '../device-error.js';
import type { CommandRunner, TransferOptions } from '../runner/command-runner.js';
import { pushAll } from '../runner/push-all.js';
import { requireSkel, type Target } from '../runner/target.js';

export type QnnTool =
  | 'qnn-net-run'
  | 'qnn-context-binary-generator'
  | 'qnn-context-binary-utility'
  | 'qnn-profile-viewer';

/** Folder names below `bin/` and `lib/` of the SDK. */
export type SdkPlatform = 'x86_64-linux-clang' | 'aarch64-android' | 'aarch64-oe-linux-gcc11.2';

const GET_IT =
  'Get the Qualcomm AI Engine Direct SDK (QAIRT) and set QAIRT_ROOT to its folder (the one with bin/ and lib/)';

/** Qualcomm's SDK as the user has it; nothing of it is ever shipped or cached here. */
export class QairtSdk {
  private constructor(readonly root: string) {}

  /** @param root `QAIRT_ROOT`. @throws DeviceError saying what to set */
  static at(root: string | undefined): QairtSdk {
    if (root === undefined || root === '') throw environmentFailure('sdk', 'QAIRT_ROOT is not set', GET_IT);
    if (!existsSync(join(root, 'bin')) || !existsSync(join(root, 'lib'))) {
      throw environmentFailure('sdk', `${root} has no bin/ and lib/`, GET_IT);
    }
    return new QairtSdk(root);
  }

  /** Path of a tool. @throws DeviceError naming the file */
  tool(name: QnnTool, platform: SdkPlatform): string {
    return this.file(join('bin', platform, name));
  }

  /** Path of a library. @throws DeviceError naming the file */
  library(name: string, platform: SdkPlatform): string {
    return this.file(join('lib', platform, name));
  }

  /** Folder of the libraries of a platform. */
  libraryDirectory(platform: SdkPlatform): string {
    return join(this.root, 'lib', platform);
  }

  /** Every library of the DSP, by path, over all NPU versions. */
  skels(): string[] {
    const lib = join(this.root, 'lib');
    return readdirSync(lib)
      .filter((name) => /^hexagon-v\d+$/.test(name))
      .flatMap((name) => {
        const folder = join(lib, name, 'unsigned');
        const files = existsSync(folder) ? readdirSync(folder) : [];
        return files.filter((file) => /^libQnnHtpV\d+Skel\.so$/.test(file)).map((file) => join(folder, file));
      })
      .sort();
  }

  private file(relative: string): string {
    const path = join(this.root, relative);
    if (existsSync(path)) return path;
    throw environmentFailure('sdk', `${relative} is not in ${this.root}`, GET_IT);
  }
}

/** Build that a library was made in, e.g. `v2.51.0.260929181845`; null when it does not say. */
export function buildIdOf(library: string): string | null {
  return /v\d+\.\d+\.\d+\.\d{12}(?![\d.])/.exec(readFileSync(library, 'latin1'))?.[0] ?? null;
}

/** Tools where they run: on this machine in place, on a phone in a work directory. */
export interface Installation {
  readonly tool: string;
  /** Where the libraries are, on the target. */
  readonly libraries: string;
  /** Backend library on the target. */
  readonly backend: string;
  /** Files of the SDK that take part, on this machine. */
  readonly files: readonly string[];
}

/** Path of the DSP library for the NPU of a target. @throws DeviceError when the SDK has none, or the NPU is not known */
export function skelFor(sdk: QairtSdk, target: Target): string {
  const skels = sdk.skels();
  const names = skels.map((path) => basename(path));
  const skel = requireSkel(target, names, 'libQnnHtpV', 'Skel.so');
  const path = skels.find((candidate) => basename(candidate) === skel);
  if (path !== undefined) return path;
  throw environmentFailure('target', `the NPU of ${target.socModel ?? 'this SoC'} is not known here`);
}

/** What `qnn-net-run` needs beside the backend. */
const HTP_LIBRARIES = [
  'libQnnHtp.so',
  'libQnnHtpPrepare.so',
  'libQnnSystem.so',
  'libQnnHtpNetRunExtensions.so',
];
const MODEL_LOADER = 'libQnnModelDlc.so';

/**
 * Puts `qnn-net-run` and its libraries on a phone.
 * @param directory work directory there
 * @throws DeviceError when the SDK lacks a file, or has no DSP library for this NPU
 */
export async function installNetRun(
  sdk: QairtSdk,
  runner: CommandRunner,
  target: Target,
  directory: string,
  options: TransferOptions,
): Promise<Installation> {
  const platform = 'aarch64-android';
  const skelPath = skelFor(sdk, target);
  const skel = basename(skelPath);
  const stub = skel.replace('Skel', 'Stub');
  const optional = [MODEL_LOADER].filter((name) => existsSync(join(sdk.libraryDirectory(platform), name)));
  const files = [
    sdk.tool('qnn-net-run', platform),
    ...[...HTP_LIBRARIES, stub, ...optional].map((name) => sdk.library(name, platform)),
    skelPath,
  ];
  await pushAll(
    runner,
    files.map((file) => [file, runner.join(directory, basename(file))]),
    options,
  );
  const tool = runner.join(directory, 'qnn-net-run');
  await runner.exec({ argv: ['chmod', '755', tool], repeatable: true });
  return { tool, libraries: directory, backend: runner.join(directory, 'libQnnHtp.so'), files };
}

/** The SDK's own programs and libraries on this machine. @param backend `libQnnCpu.so` or the emulating `libQnnHtp.so` */
export function localNetRun(sdk: QairtSdk, backend: string): Installation {
  const platform = 'x86_64-linux-clang';
  const [tool, library] = [sdk.tool('qnn-net-run', platform), sdk.library(backend, platform)];
  return { tool, libraries: sdk.libraryDirectory(platform), backend: library, files: [tool, library] };
}
