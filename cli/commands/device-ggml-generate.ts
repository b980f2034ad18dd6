import { type Command, Option } from 'commander';
import { DIFFUSION_ALGORITHMS, type DiffusionAlgorithm } from '../../hw/choices.js';
import {
  addGgmlOptions,
  GGML_HELP,
  type GgmlOptions,
  ggmlData,
  reportGgml,
  runTool,
} from '../ggml-options.js';
import type { Context } from '../io.js';
import { integer, number } from '../numbers.js';

interface GenerateOptions extends GgmlOptions {
  readonly prompt: string;
  readonly length: number;
  readonly steps: number;
  readonly algorithm: DiffusionAlgorithm;
  readonly eps?: number;
  readonly blockLength?: number;
  readonly temperature: number;
  readonly seed: number;
}

export function registerDeviceGgmlGenerate(ggml: Command, context: () => Context): void {
  const command = ggml
    .command('generate')
    .description('one generation with llama-diffusion-cli (LLaDA, Dream)')
    .requiredOption('--prompt <text>', 'prompt')
    .option('--length <n>', 'positions, prompt and answer together', integer(1), 128)
    .option('--steps <n>', 'denoising steps', integer(1), 64)
    .addOption(
      new Option('--algorithm <name>', 'which positions are committed')
        .choices(DIFFUSION_ALGORITHMS)
        .default('confidence'),
    )
    .option('--block-length <n>', 'LLaDA: positions per block', integer(1))
    .option('--eps <x>', 'Dream: end of the schedule', number(0, 1))
    .option('--temperature <t>', 'temperature', number(0, 100), 0)
    .option('--seed <n>', 'seed', integer(0), 0);
  addGgmlOptions(command)
    .addHelpText(
      'after',
      `${GGML_HELP}\n\nExamples:` +
        '\n  $ dllm-npu device ggml generate --package pkg-snapdragon/llama.cpp --model llada-8b-q4_0.gguf \\' +
        '\n      --prompt "Why is the sky blue?" --block-length 32 --keep' +
        '\n  $ dllm-npu device ggml generate --runner local --device none --package /opt/llama.cpp --model dream.gguf \\' +
        '\n      --prompt "Hello" --eps 0.001 --json',
    )
    .action((options: GenerateOptions) => generate(context(), options));
}

async function generate(ctx: Context, options: GenerateOptions): Promise<void> {
  const { diffusionArgs, parseDiffusionText, parseDiffusionTiming } = await import(
    '../../hw/ggml/diffusion-cli.js'
  );
  const { prompt, length, steps, algorithm, eps, blockLength, temperature, seed, threads, device } = options;
  const asked = { prompt, length, steps, algorithm, temperature, seed, eps, blockLength, threads };
  const args = (model: string) => diffusionArgs({ model, ...asked }, device);
  // Wrong options are told before anything is sent.
  args(options.model);
  const result = await runTool(ctx, options, 'llama-diffusion-cli', args);
  const timing = parseDiffusionTiming(`${result.stdout}\n${result.stderr}`);
  const text = parseDiffusionText(result.stdout, result.stderr);
  ctx.data({ text, timing, ...ggmlData(result) });
  ctx.print(`${text}\n`);
  const perStep = timing.samplingStepMs === null ? '' : `, of it sampling ${timing.samplingStepMs} ms`;
  ctx.print(`${timing.totalMs} ms in all, ${timing.stepMs} ms per step${perStep} (CPU and NPU together)`);
  await reportGgml(ctx, options, result);
}
