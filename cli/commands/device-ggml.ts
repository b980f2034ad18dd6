import type { Command } from 'commander';
import { createColors } from 'picocolors';
import type { Context } from '../io.js';
import { registerDeviceGgmlBench } from './device-ggml-bench.js';
import { registerDeviceGgmlGenerate } from './device-ggml-generate.js';

export function registerDeviceGgml(device: Command, context: () => Context): void {
  const ggml = device
    .command('ggml')
    .description("llama.cpp's Hexagon backend: a second opinion on whole generations and single operators");
  registerDeviceGgmlGenerate(ggml, context);
  registerDeviceGgmlBench(ggml, context);
  ggml
    .command('read')
    .description('read a log that a run with GGML_HEXAGON_PROFILE wrote: operators, units, dialect')
    .argument('<log>', 'log of a llama.cpp tool that ran with -v; plain, gzip or UTF-16')
    .addHelpText(
      'after',
      '\nThe format of the profile changed four times; the dialect is told, and a log of an unknown one is refused. Times of' +
        '\nseveral NPUs stand apart; a last line that was cut is told and not counted.' +
        '\n\nExamples:\n  $ dllm-npu device ggml read trace.log\n  $ dllm-npu device ggml read trace.log --json',
    )
    .action((path: string) => read(context(), path));
}

async function read(ctx: Context, path: string): Promise<void> {
  const { readProfile } = await import('../../hw/ggml/read-profile.js');
  const { opTotals, unitCycles } = await import('../../hw/ggml/summary.js');
  const { profileText } = await import('../../hw/ggml/profile-text.js');
  const { profile, session } = readProfile(path);
  ctx.data({ session, totals: opTotals(profile), units: unitCycles(profile), profile });
  ctx.print(profileText(profile, createColors(ctx.color).bold));
}
