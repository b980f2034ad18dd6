import { DeviceError, environmentFailure } from '../device-error.js';
import type { Evidence } from '../record/evidence.js';
import { archOf } from '../record/execution-class.js';
import type { CommandRunner } from './command-runner.js';
import { knownSoc } from './known-socs.js';

/** What a target says about itself. */
export interface Target {
  readonly arch: Evidence['targetArch'];
  /** As `uname -m` says it; null when it does not say. */
  readonly machine: string | null;
  /** Number that the kernel has of the SoC; null off Snapdragon. */
  readonly socId: string | null;
  /** E.g. `SM8750`; null where the system does not know. */
  readonly socModel: string | null;
  /** Version of the NPU, e.g. `v79`; null for a SoC that is not in the list. */
  readonly htpArch: string | null;
  readonly os: string | null;
}

/** Asks a target what it is. What it does not know is null. */
export async function readTarget(runner: CommandRunner): Promise<Target> {
  const machine = await ask(runner, ['uname', '-m']);
  const socModel =
    (await ask(runner, ['getprop', 'ro.soc.model'])) ??
    (await ask(runner, ['cat', '/sys/devices/soc0/machine']));
  const android = await ask(runner, ['getprop', 'ro.build.version.release']);
  const socId = await ask(runner, ['cat', '/sys/devices/soc0/soc_id']);
  return {
    machine,
    socModel,
    socId,
    arch: archOf(machine ?? ''),
    htpArch: knownSoc(socModel, socId)?.htpArch ?? null,
    os: android === null ? await ask(runner, ['uname', '-sr']) : `Android ${android}`,
  };
}

/** @throws DeviceError when the target cannot run programs and DSP code made for arm64 Snapdragon */
export function requireArm64(runner: CommandRunner, target: Target, what: string): void {
  if (target.arch === 'arm64') return;
  throw environmentFailure(
    'target',
    `${runner.name} is ${target.machine ?? 'of an unknown architecture'}, and ${what} needs an arm64 Snapdragon`,
    'Choose a phone with --serial, or run on the CPU with --device none',
  );
}

/**
 * Name of the NPU's library among those at hand.
 * @param prefix what the files are called before the version: `libggml-htp-v`, `libQnnHtpV`
 * @param suffix and behind it: `.so`, `Skel.so`
 * @returns null when the NPU version of the target is not known, so that nothing can be said
 * @throws DeviceError naming the file that is missing and those that are there
 */
export function requireSkel(
  target: Target,
  files: readonly string[],
  prefix: string,
  suffix: string,
): string | null {
  if (target.htpArch === null) return null;
  const wanted = `${prefix}${target.htpArch.slice(1)}${suffix}`;
  if (files.includes(wanted)) return wanted;
  const there = files.filter((file) => file.startsWith(prefix) && file.endsWith(suffix));
  throw environmentFailure(
    'target',
    `${target.socModel} has an NPU ${target.htpArch}, and ${wanted} is not there (there is ${there.join(', ') || 'none'})`,
    'Take a package that was built for this NPU',
  );
}

/** First line of what a question says; null when the target cannot answer it. */
async function ask(runner: CommandRunner, argv: readonly string[]): Promise<string | null> {
  try {
    const { exitCode, stdout } = await runner.exec({ argv, repeatable: true });
    const answer = stdout.trim().split('\n')[0] ?? '';
    return exitCode === 0 && answer !== '' ? answer : null;
  } catch (error) {
    // A tool that the target does not have is no answer; a target that went away is an error.
    if (error instanceof DeviceError && /no program on|cannot be started/.test(error.failure.reason))
      return null;
    throw error;
  }
}
