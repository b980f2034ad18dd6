import { existsSync } from 'node:fs';
import { createColors } from 'picocolors';
import { z } from 'zod';
import { ggmlPackage } from '../hw/ggml/package.js';
import { profileText } from '../hw/ggml/profile-text.js';
import { type GgmlResult, type GgmlRun, runGgml } from '../hw/ggml/run.js';
import { writeDeviceRecord } from '../hw/record/device-record.js';
import { classText } from '../hw/record/record-text.js';
import { EnvironmentError } from '../src/errors.js';
import { checkWritableFile } from '../src/util/check-writable.js';
import { openTarget, target } from './device-target.js';
import { path } from './groups.js';
import type { Context } from './io.js';
import { progressBar } from './progress.js';

/** Options of every command that runs a tool of llama.cpp. */
export const ggml = {
  package: z
    .string()
    .min(1)
    .describe('installed llama.cpp: a folder with bin/ and lib/')
    .meta({ value: 'dir' }),
  model: z.string().min(1).describe('GGUF file').meta({ value: 'file' }),
  device: z.string().min(1).default('HTP0').describe("backend device, or none for the target's CPU"),
  profile: z
    .int()
    .min(0)
    .max(3)
    .default(1)
    .describe('0 off, 1 operators, 2 with counters, 3 every thread')
    .meta({ value: 'level' }),
  threads: z.int().min(1).max(256).optional().describe('threads of the CPU'),
  log: path("keep the tool's whole log here"),
  record: path('write the run record here'),
  ...target,
};
export type GgmlInput = z.output<z.ZodObject<typeof ggml>>;

export const GGML_NOTES =
  'Needs llama.cpp built with its Snapdragon preset (docs/backend/snapdragon there) and a GGUF file. Tool, libraries and' +
  '\nmodel are sent by content, and removed afterwards unless --keep. What the DSP counted goes into the record; times of the' +
  '\nwhole run include the CPU, and are never given as times of the NPU.';

/** Runs a tool on the target. @throws EnvironmentError for what is missing here, before a phone is looked for */
export async function runTool(
  ctx: Context,
  asked: GgmlInput,
  tool: GgmlRun['tool'],
  args: GgmlRun['args'],
): Promise<GgmlResult> {
  checkWritableFile(asked.record);
  checkWritableFile(asked.log);
  ggmlPackage(asked.package, tool);
  if (!existsSync(asked.model)) throw new EnvironmentError(`${asked.model} does not exist`);
  const { runner, keepIn } = await openTarget(ctx, asked);
  const bar = progressBar(ctx, 'bytes sent');
  return runGgml(runner, {
    tool,
    args,
    packageDirectory: asked.package,
    model: asked.model,
    device: asked.device,
    profile: asked.profile as GgmlRun['profile'],
    timeoutMs: asked.timeout * 1000,
    keepIn,
    logPath: asked.log,
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
}

/** What `--json` says of a run beside its own answer. */
export function ggmlData({ session, target: on, profile, record }: GgmlResult) {
  return {
    target: on,
    session,
    profile: profile === null ? null : { ...profile, ops: profile.ops.length },
    record,
  };
}

/** Prints profile and class, and writes the record where it was asked for. */
export function reportGgml(ctx: Context, asked: GgmlInput, { record, profile }: GgmlResult): void {
  if (asked.record !== undefined) writeDeviceRecord(asked.record, record);
  if (profile !== null) ctx.print(profileText(profile, createColors(ctx.color).bold));
  ctx.print(`\n${classText(record)}`);
}
