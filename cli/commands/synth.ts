import type { Command } from 'commander';
import { ARCHITECTURES } from '../../src/model/families/index.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { progressBar } from '../progress.js';

interface SynthOptions {
  readonly arch: string;
  readonly preset: string;
  readonly quant: string;
  readonly seed: number;
}

export function registerSynth(program: Command, context: () => Context): void {
  program
    .command('synth')
    .description(
      'write a random but numerically tame model (GGUF), to measure speed and memory without weights',
    )
    .argument('<out>', 'file to write, .gguf')
    .option('--arch <name>', `family: ${ARCHITECTURES.join(', ')}`, ARCHITECTURES[0])
    .option(
      '--preset <size>',
      'shapes: the published size (8b, or 7b of dream and llada-moe), 1b, tiny',
      'tiny',
    )
    .option('--quant <format>', 'weight format: f32, f16, q8_0, q4_0', 'q4_0')
    .option('--seed <n>', 'seed of the weights', integer(0), 1)
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu synth --arch llada --preset tiny out.gguf' +
        '\n  $ dllm-npu synth --arch llada --preset 8b --quant q4_0 --seed 1 llada-8b.gguf   4.2 GiB',
    )
    .action(async (out: string, options: SynthOptions) => {
      const ctx = context();
      const { UsageError } = await import('../../src/errors.js');
      const { writeModelGguf } = await import('../../src/model/formats/convert.js');
      const { quantByName } = await import('../../src/model/precision.js');
      const { syntheticShapes } = await import('../../src/model/synthetic/shapes.js');
      const { syntheticWeights } = await import('../../src/model/synthetic/weights.js');
      const { parameterCount } = await import('../../src/model/closed-forms.js');
      if (!out.endsWith('.gguf')) throw new UsageError(`${out}: a synthetic model is written as .gguf`);
      const config = syntheticShapes(options.arch, options.preset);
      const quant = quantByName(options.quant);
      const tokenizer = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
      const bar = progressBar(ctx, 'MB');
      let bytes = 0;
      const onProgress = (done: number, total: number) => {
        bytes = total;
        bar.update(Math.round(done / 1e6), Math.round(total / 1e6));
      };
      const weights = syntheticWeights(config, quant, options.seed);
      await writeModelGguf(config, weights, out, quant, tokenizer, {
        onProgress,
        signal: ctx.signal,
      }).finally(() => bar.stop());
      const parameters = parameterCount(config).total;
      ctx.data({ path: out, model: config.name, quant, seed: options.seed, parameters, bytes });
      ctx.print(
        `${out}: ${config.name}, ${(parameters / 1e6).toFixed(1)} M parameters, ${quant}, ${(bytes / 1e6).toFixed(1)} MB`,
      );
    });
}
