import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { GgmlResult, GgmlRun } from '../hw/ggml/run.js';
import { EnvironmentError } from '../src/errors.js';
import { addRunnerOptions, openRunner, type RunnerOptions } from './device-runner.js';
import type { Context } from './io.js';
import { integer } from './numbers.js';
import { progressBar } from './progress.js';

/** Options of every command that runs a tool of llama.cpp. */
export interface GgmlOptions extends RunnerOptions {
  readonly package: string;
  readonly model: string;
  readonly device: string;
  readonly profile: GgmlRun['profile'];
  readonly threads?: number;
  readonly log?: string;
  readonly record?: string;
}

/** For the help of such a command. */
export const GGML_HELP =
  '\nNeeds llama.cpp built with its Snapdragon preset (docs/backend/snapdragon there) and a GGUF file. Tool, libraries and' +
  '\nmodel are sent by content, and removed afterwards unless --keep. What the DSP counted goes into the record; times of the' +
  '\nwhole run include the CPU, and are never given as times of the NPU.';

export function addGgmlOptions(command: Command): Command {
  command
    .requiredOption('--package <dir>', 'installed llama.cpp: a folder with bin/ and lib/')
    .requiredOption('--model <file>', 'GGUF file')
    .option('--device <name>', "backend device, or none for the target's CPU", 'HTP0')
    .option('--profile <level>', '0 off, 1 operators, 2 with counters, 3 every thread', integer(0, 3), 1)
    .option('--threads <n>', 'threads of the CPU', integer(1))
    .option('--log <file>', "keep the tool's whole log here")
    .option('--record <file>', 'write the run record here');
  return addRunnerOptions(command);
}

/** Runs a tool on the target. @throws EnvironmentError for what is missing here, before a phone is looked for */
export async function runTool(
  ctx: Context,
  options: GgmlOptions,
  tool: GgmlRun['tool'],
  args: GgmlRun['args'],
): Promise<GgmlResult> {
  const { runGgml } = await import('../hw/ggml/run.js');
  const { ggmlPackage } = await import('../hw/ggml/package.js');
  ggmlPackage(options.package, tool);
  if (!existsSync(options.model)) throw new EnvironmentError(`${options.model} does not exist`);
  const { runner, keepIn } = await openRunner(ctx, options);
  const bar = progressBar(ctx, 'bytes sent');
  return runGgml(runner, {
    tool,
    args,
    packageDirectory: options.package,
    model: options.model,
    device: options.device,
    profile: options.profile,
    timeoutMs: options.timeout * 1000,
    keepIn,
    logPath: options.log,
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
}

/** What `--json` says of a run beside its own answer. */
export function ggmlData({ session, target, profile, record }: GgmlResult) {
  return {
    target,
    session,
    profile: profile === null ? null : { ...profile, ops: profile.ops.length },
    record,
  };
}

/** Prints profile and class, and writes the record where it was asked for. */
export async function reportGgml(
  ctx: Context,
  options: GgmlOptions,
  { record, profile }: GgmlResult,
): Promise<void> {
  if (options.record !== undefined) {
    const { writeDeviceRecord } = await import('../hw/record/device-record.js');
    writeDeviceRecord(options.record, record);
  }
  if (profile !== null) {
    const { profileText } = await import('../hw/ggml/profile-text.js');
    ctx.print(profileText(profile, createColors(ctx.color).bold));
  }
  const missing = record.missing.length === 0 ? '' : `; for npu-device it lacks ${record.missing.join(', ')}`;
  ctx.print(`\nclass ${record.executionClass}${missing}`);
}
