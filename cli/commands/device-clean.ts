import type { Command } from 'commander';
import { openRunner, type RunnerOptions } from '../device-runner.js';
import type { Context } from '../io.js';

type CleanOptions = Pick<RunnerOptions, 'serial' | 'adb' | 'deviceDirectory'>;

export function registerDeviceClean(device: Command, context: () => Context): void {
  device
    .command('clean')
    .description('remove everything that --keep left on a phone')
    .option('--serial <id>', 'which phone (default: ANDROID_SERIAL, or the only one)')
    .option('--adb <program>', 'the adb program (default: adb of the PATH)')
    .option('--device-directory <dir>', 'where it is (default: /data/local/tmp/dllm-npu)')
    .addHelpText(
      'after',
      '\nRemoves the directory that models and tools were kept in, and nothing else.' +
        '\n\nExamples:\n  $ dllm-npu device clean\n  $ dllm-npu device clean --serial R5CX12345',
    )
    .action((options: CleanOptions) => clean(context(), options));
}

async function clean(ctx: Context, options: CleanOptions): Promise<void> {
  const { runner, keepIn } = await openRunner(ctx, { ...options, runner: 'adb', keep: true, timeout: 0 });
  if (keepIn === undefined) throw new Error('a kept directory was asked for');
  const existed = (await runner.stat(keepIn)) !== null;
  if (existed) await runner.remove(keepIn);
  ctx.data({ target: runner.name, directory: keepIn, removed: existed });
  ctx.print(existed ? `removed ${keepIn} on ${runner.name}` : `nothing was kept on ${runner.name}`);
}
