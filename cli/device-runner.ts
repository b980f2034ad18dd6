import { type Command, Option } from 'commander';
import type { CommandRunner } from '../hw/runner/command-runner.js';
import type { Context } from './io.js';
import { integer } from './numbers.js';

/** Options of every command that runs tools on a target. */
export interface RunnerOptions {
  readonly runner: 'local' | 'adb';
  readonly serial?: string;
  readonly adb?: string;
  readonly deviceDirectory?: string;
  readonly keep?: boolean;
  readonly timeout: number;
}

export function addRunnerOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--runner <where>', 'where it runs: this machine, or a phone behind adb')
        .choices(['local', 'adb'])
        .default('adb'),
    )
    .option('--serial <id>', 'which phone (default: ANDROID_SERIAL, or the only one)')
    .option('--adb <program>', 'the adb program (default: adb of the PATH)')
    .option('--device-directory <dir>', 'where files go on the phone (default: /data/local/tmp/dllm-npu)')
    .option('--keep', 'leave model and tools on the phone, so that the next run need not send them')
    .option('--timeout <s>', 'longest time of the run itself', integer(1), 600);
}

/** A target, and where files stay on it with `--keep`; this machine is sent nothing. */
export interface OpenRunner {
  readonly runner: CommandRunner;
  readonly keepIn?: string;
}

/** @throws AdbError (exit code 3) when no phone can be used */
export async function openRunner(ctx: Context, options: RunnerOptions): Promise<OpenRunner> {
  const { serial, adb, deviceDirectory, keep } = options;
  if (options.runner === 'local') {
    const { LocalRunner } = await import('../hw/runner/local-runner.js');
    return { runner: new LocalRunner() };
  }
  const { ADB_DIRECTORY, AdbRunner } = await import('../hw/runner/adb-runner.js');
  const directory = deviceDirectory ?? ADB_DIRECTORY;
  const runner = await AdbRunner.open({
    env: ctx.io.env,
    directory,
    serial,
    adb,
  });
  return { runner, ...(keep === true ? { keepIn: runner.join(directory, 'kept') } : {}) };
}
