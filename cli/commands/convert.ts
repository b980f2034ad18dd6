import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../../src/errors.js';
import {
  CODECS,
  WEIGHT_DTYPES,
  type WeightDType,
  WRITTEN_DTYPES,
} from '../../src/model/formats/blocks/index.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { textToGguf } from '../../src/model/formats/gguf-text.js';
import { writeCheckpoint } from '../../src/model/formats/write-checkpoint.js';
import { type LoadedModel, loadModel } from '../../src/model/load.js';
import { PRUNING_FORMS, parsePruning, pruned } from '../../src/model/prune.js';
import { checkedWeights, requantised } from '../../src/model/weight-views.js';
import type { WeightSource } from '../../src/model/weights.js';
import { type OnnxOptions, writeOnnx } from '../../src/onnx/write-onnx.js';
import { checkWritableDirectory, checkWritableFile } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { engine } from '../groups.js';
import { progressBar } from '../progress.js';

export const command = defineCommand({
  arguments: {
    source: z.string().describe('shipped model, directory with safetensors, or .gguf file'),
    out: z
      .string()
      .describe('.gguf file, .onnx file (its weights beside it as .onnx.data), or directory for safetensors'),
  },
  options: {
    quant: z
      .enum(WEIGHT_DTYPES)
      .optional()
      .describe(`format of the matrices: ${WRITTEN_DTYPES.join(', ')} (default: as stored)`),
    prune: z
      .string()
      .optional()
      .describe(`take the smallest weights out, without training: ${PRUNING_FORMS}; changed matrices are f32`)
      .meta({ value: 'form' }),
    compute: engine.compute.describe('ONNX, quantised products: f32, int8'),
  },
  effects: [
    { options: ['compute'], when: ({ out }) => out.endsWith('.onnx'), because: 'it is of .onnx files' },
  ],
  examples: [
    'convert LLaDA-8B-Instruct/ llada-8b-q4_0.gguf --quant q4_0',
    'convert llada-8b-q4_0.gguf llada-8b-q4_0.onnx',
    'convert tiny-llada tiny-copy/ --quant f16',
    'convert tiny-llada tiny-pruned/ --prune ffn:0.25   # then: quality --model tiny-pruned/',
  ],
  async run(ctx, { source, out, quant = null, prune, compute }) {
    if (quant !== null && CODECS[quant].encode === null) {
      throw new UsageError(
        `--quant ${quant}: such weights are read and run, not written; written are ${WRITTEN_DTYPES.join(', ')}`,
      );
    }
    if (/\.(gguf|onnx)$/.test(out)) checkWritableFile(out);
    else checkWritableDirectory(out);
    const pruning = prune === undefined ? null : parsePruning(prune);
    const loaded = await loadModel(source);
    const bar = progressBar(ctx, 'MB');
    const began = performance.now();
    try {
      const model =
        pruning === null ? loaded : { ...loaded, ...pruned(loaded.config, loaded.weights, pruning) };
      const { config } = model;
      const stored = checkedWeights(model.weights);
      const weights = quant === null ? stored : requantised(stored, quant);
      const files = await write(model, weights, out, quant, {
        onProgress: (done, total) => bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
        signal: ctx.signal,
        compute,
      });
      bar.stop();
      const seconds = (performance.now() - began) / 1000;
      ctx.data({ source: model.weightsPath, model: config.name, quant, prune, files, seconds });
      for (const { path, bytes } of files) ctx.print(`${path}: ${(bytes / 1e6).toFixed(1)} MB`);
    } finally {
      bar.stop();
      await loaded.weights.close();
    }
  },
});

interface Written {
  readonly path: string;
  readonly bytes: number;
}

async function write(
  model: LoadedModel,
  weights: WeightSource,
  out: string,
  quant: WeightDType | null,
  options: OnnxOptions,
): Promise<readonly Written[]> {
  const sized = (...paths: string[]): Written[] =>
    paths.map((path) => ({ path, bytes: statSync(path).size }));
  const { config } = model;
  if (out.endsWith('.onnx')) {
    const { path, dataPath } = await writeOnnx(config, weights, out, options);
    return sized(path, dataPath);
  }
  if (out.endsWith('.gguf')) {
    await writeModelGguf(config, weights, out, quant, textToGguf(model.text, config.vocab), options);
    return sized(out);
  }
  await writeCheckpoint(config, weights, out, quant, model.text, options);
  return sized(join(out, 'model.safetensors'));
}
