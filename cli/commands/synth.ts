import { z } from 'zod';
import { UsageError } from '../../src/errors.js';
import { parameterCount } from '../../src/model/closed-forms.js';
import { GGUF_ARCHITECTURES } from '../../src/model/families/index.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { QUANTS } from '../../src/model/precision.js';
import { syntheticShapes } from '../../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import { checkWritableFile } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { progressBar } from '../progress.js';

export const command = defineCommand({
  arguments: { out: z.string().describe('file to write, .gguf') },
  options: {
    arch: z.enum(GGUF_ARCHITECTURES).default(GGUF_ARCHITECTURES[0]).describe('family'),
    preset: z
      .string()
      .default('tiny')
      .describe('shapes: the published size (8b, or 7b of dream and llada-moe), 1b, tiny')
      .meta({ value: 'size' }),
    quant: z.enum(QUANTS).default('q4_0').describe('weight format'),
    seed: z.int().min(0).default(1).describe('seed of the weights'),
  },
  examples: [
    'synth --arch llada --preset tiny out.gguf',
    'synth --arch llada --preset 8b --quant q4_0 --seed 1 llada-8b.gguf   4.2 GiB',
  ],
  async run(ctx, { out, arch, preset, quant, seed }) {
    if (!out.endsWith('.gguf')) throw new UsageError(`${out}: a synthetic model is written as .gguf`);
    checkWritableFile(out);
    const config = syntheticShapes(arch, preset);
    const tokenizer = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
    const bar = progressBar(ctx, 'MB');
    let bytes = 0;
    const onProgress = (done: number, total: number) => {
      bytes = total;
      bar.update(Math.round(done / 1e6), Math.round(total / 1e6));
    };
    await writeModelGguf(config, syntheticWeights(config, quant, seed), out, quant, tokenizer, {
      onProgress,
      signal: ctx.signal,
    }).finally(() => bar.stop());
    const parameters = parameterCount(config).total;
    ctx.data({ path: out, model: config.name, quant, seed, parameters, bytes });
    ctx.print(
      `${out}: ${config.name}, ${(parameters / 1e6).toFixed(1)} M parameters, ${quant}, ${(bytes / 1e6).toFixed(1)} MB`,
    );
  },
});
