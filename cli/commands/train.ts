import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { UsageError } from '../../src/errors.js';
import type { TrainedModel } from '../../src/train/train.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { progressBar } from '../progress.js';

interface CliTrainOptions {
  readonly steps: number;
  readonly batch: number;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly ffn: number;
  readonly set: 'short' | 'long';
  readonly seed: number;
  readonly backend: 'wasm' | 'cpu';
  readonly out?: string;
}

export function registerTrain(program: Command, context: () => Context): void {
  program
    .command('train')
    .description('train a small masked-diffusion model on the shipped task (smoke runs)')
    .option('--steps <n>', 'optimizer steps', integer(1), 100)
    .option('--batch <n>', 'sequences per step', integer(1), 8)
    .option('--layers <n>', 'layers', integer(1, 64), 2)
    .option('--hidden <n>', 'residual width', integer(2, 4096), 64)
    .option('--heads <n>', 'attention heads; must divide the width', integer(1, 64), 2)
    .option('--ffn <n>', 'feed-forward width', integer(1, 16384), 192)
    .addOption(new Option('--set <name>', 'problems').choices(['short', 'long']).default('short'))
    .option('--seed <n>', 'seed of weights, problems and masks', integer(0), 7)
    .addOption(new Option('--backend <name>', 'tfjs backend').choices(['wasm', 'cpu']).default('wasm'))
    .option('--out <dir>', 'write model.gguf, tokenizer.json and loss.json there')
    .addHelpText(
      'after',
      '\nThe shipped weights were made by the PyTorch recipe in tools/train; this path runs the same operator graph.' +
        '\n\nExamples:\n  $ dllm-npu train --steps 50\n  $ dllm-npu train --steps 500 --out /tmp/model && dllm-npu generate --model /tmp/model/model.gguf --problem 0',
    )
    .action(async (options: CliTrainOptions) => {
      const ctx = context();
      checkShape(options);
      if (options.out !== undefined) checkWritableDirectory(options.out);
      const { trainModel } = await import('../../src/train/train.js');
      const { out, ...request } = options;
      const bar = progressBar(ctx, 'steps');
      const began = performance.now();
      const trained = await trainModel({ ...request, signal: ctx.signal }, ({ step, steps, loss }) => {
        bar.update(step, steps);
        if (step === 1 || step % 10 === 0) ctx.print(`step ${step}  loss ${loss.toFixed(4)}`);
      }).finally(() => bar.stop());
      // What was trained so far is not what was asked for: nothing is written after Ctrl-C.
      ctx.signal.throwIfAborted();
      const seconds = (performance.now() - began) / 1000;
      ctx.data({ ...request, losses: trained.losses, seconds, ...(out === undefined ? {} : { out }) });
      ctx.print(
        `${options.steps} steps in ${seconds.toFixed(1)} s, last loss ${trained.losses.at(-1)?.toFixed(4)}`,
      );
      if (out === undefined) return;
      await save(out, trained);
      ctx.note(`written to ${out}: model.gguf, tokenizer.json, loss.json`);
    });
}

function checkShape({ hidden, heads }: CliTrainOptions): void {
  // The engine rotates halves of a head, so a head has an even width.
  if (hidden % heads !== 0 || (hidden / heads) % 2 !== 0) {
    throw new UsageError(`--heads ${heads} does not split --hidden ${hidden} into heads of even width`);
  }
}

async function save(directory: string, trained: TrainedModel): Promise<void> {
  const { buildTokenizerJson } = await import('../../src/train/tokenizer-json.js');
  const { writeModelGguf } = await import('../../src/model/formats/convert.js');
  const { tokenizerToGguf } = await import('../../src/model/formats/gguf-tokenizer.js');
  const { readTokenizerJson } = await import('../../src/model/tokenizer.js');
  const tokenizerPath = join(directory, 'tokenizer.json');
  atomicWriteFile(tokenizerPath, `${JSON.stringify(buildTokenizerJson())}\n`);
  const tokenizer = tokenizerToGguf(
    await readTokenizerJson(tokenizerPath),
    trained.config.vocab,
    tokenizerPath,
  );
  await writeModelGguf(trained.config, trained.weights, join(directory, 'model.gguf'), 'f32', tokenizer);
  atomicWriteFile(join(directory, 'loss.json'), `${JSON.stringify({ losses: trained.losses })}\n`);
}
