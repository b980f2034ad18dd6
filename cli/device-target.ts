import { z } from 'zod';
import { ADB_DIRECTORY, AdbRunner } from '../hw/runner/adb-runner.js';
import type { CommandRunner } from '../hw/runner/command-runner.js';
import { LocalRunner } from '../hw/runner/local-runner.js';
import type { Effect } from './command.js';
import { flag, path } from './groups.js';
import type { Context } from './io.js';

/** A phone behind adb. */
export const phone = {
  serial: path('which phone (default: ANDROID_SERIAL, or the only one)', 'id'),
  adb: path('the adb program (default: adb of the PATH)', 'program'),
  deviceDirectory: path(`where files go on the phone (default: ${ADB_DIRECTORY})`, 'dir'),
};

/** Longest time that a tool may take, in seconds. */
export const timeout = z.int().min(1).max(86_400).meta({ value: 's' });

/** Where tools run; of every command that runs some. */
export const target = {
  runner: z
    .enum(['local', 'adb'])
    .default('adb')
    .describe('where it runs: local (this machine), or a phone behind adb')
    .meta({ value: 'where' }),
  ...phone,
  keep: flag('leave model and tools on the phone, so that the next run need not send them'),
  timeout: timeout.default(600).describe('longest time of the run itself'),
};
export type TargetInput = z.output<z.ZodObject<typeof target>>;

export const targetEffects: Effect<TargetInput>[] = [
  {
    options: ['serial', 'adb', 'deviceDirectory', 'keep'],
    when: ({ runner }) => runner === 'adb',
    because: 'it is of --runner adb',
  },
];

/** The phone that was asked for. @throws AdbError (exit code 3) when none can be used */
export function openPhone(ctx: Context, asked: z.output<z.ZodObject<typeof phone>>): Promise<AdbRunner> {
  const { serial, adb, deviceDirectory: directory = ADB_DIRECTORY } = asked;
  return AdbRunner.open({ env: ctx.io.env, directory, serial, adb });
}

/** Where models and tools stay on a phone with `--keep`. */
export function keptOn(runner: CommandRunner, directory = ADB_DIRECTORY): string {
  return runner.join(directory, 'kept');
}

/** A target, and where files stay on it with `--keep`; this machine is sent nothing. */
export interface OpenTarget {
  readonly runner: CommandRunner;
  readonly keepIn?: string;
}

/** @throws AdbError (exit code 3) when no phone can be used */
export async function openTarget(ctx: Context, asked: TargetInput): Promise<OpenTarget> {
  if (asked.runner === 'local') return { runner: new LocalRunner() };
  const runner = await openPhone(ctx, asked);
  return { runner, keepIn: asked.keep ? keptOn(runner, asked.deviceDirectory) : undefined };
}
