import type { Command } from 'commander';
import type { LoadedModel } from '../../src/model/load.js';
import type { Quant } from '../../src/model/precision.js';
import type { WeightSource } from '../../src/model/weights.js';
import type { OnnxOptions } from '../../src/onnx/write-onnx.js';
import type { Context } from '../io.js';
import { progressBar } from '../progress.js';

interface ConvertOptions {
  readonly quant?: string;
  readonly compute: string;
}

export function registerConvert(program: Command, context: () => Context): void {
  program
    .command('convert')
    .description('convert a model between safetensors and GGUF, or to ONNX, weight by weight')
    .argument('<source>', 'shipped model, directory with safetensors, or .gguf file')
    .argument(
      '<out>',
      '.gguf file, .onnx file (its weights beside it as .onnx.data), or directory for safetensors',
    )
    .option('--quant <format>', 'format of the matrices: f32, f16, q8_0, q4_0 (default: as stored)')
    .option('--compute <kind>', 'ONNX, quantised products: f32, int8', 'f32')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu convert LLaDA-8B-Instruct/ llada-8b-q4_0.gguf --quant q4_0' +
        '\n  $ dllm-npu convert llada-8b-q4_0.gguf llada-8b-q4_0.onnx' +
        '\n  $ dllm-npu convert tiny-llada tiny-copy/ --quant f16',
    )
    .action(async (source: string, out: string, options: ConvertOptions) =>
      run(context(), source, out, options),
    );
}

async function run(ctx: Context, from: string, out: string, options: ConvertOptions): Promise<void> {
  const { loadModel } = await import('../../src/model/load.js');
  const { quantByName } = await import('../../src/model/precision.js');
  const { checkedWeights, requantised } = await import('../../src/model/weight-views.js');
  const { unknownName } = await import('../../src/util/nearest.js');
  const quant = options.quant === undefined ? null : quantByName(options.quant);
  const compute = (['f32', 'int8'] as const).find((kind) => kind === options.compute);
  if (compute === undefined) throw unknownName('compute', options.compute, ['f32', 'int8']);
  const model = await loadModel(from);
  const bar = progressBar(ctx, 'MB');
  const began = performance.now();
  try {
    const { config } = model;
    const stored = checkedWeights(model.weights);
    const weights: WeightSource = quant === null ? stored : requantised(config, stored, quant);
    const progress = {
      onProgress: (done: number, total: number) =>
        bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
      signal: ctx.signal,
    };
    const files = await write(model, weights, out, quant, { ...progress, compute });
    bar.stop();
    const seconds = (performance.now() - began) / 1000;
    ctx.data({ source: model.weightsPath, model: config.name, quant, files, seconds });
    for (const { path, bytes } of files) ctx.print(`${path}: ${(bytes / 1e6).toFixed(1)} MB`);
  } finally {
    bar.stop();
    await model.weights.close();
  }
}

interface Written {
  readonly path: string;
  readonly bytes: number;
}

async function write(
  model: LoadedModel,
  weights: WeightSource,
  out: string,
  quant: Quant | null,
  options: OnnxOptions,
): Promise<readonly Written[]> {
  const { statSync } = await import('node:fs');
  const { join } = await import('node:path');
  const sized = (...paths: string[]): Written[] =>
    paths.map((path) => ({ path, bytes: statSync(path).size }));
  const { config } = model;
  if (out.endsWith('.onnx')) {
    const { writeOnnx } = await import('../../src/onnx/write-onnx.js');
    const { path, dataPath } = await writeOnnx(config, weights, out, options);
    return sized(path, dataPath);
  }
  if (out.endsWith('.gguf')) {
    const { tokenizerMetadata, writeModelGguf } = await import('../../src/model/formats/convert.js');
    const tokenizer = await tokenizerMetadata(config, model.tokenizerPath, model.metadata);
    await writeModelGguf(config, weights, out, quant, tokenizer, options);
    return sized(out);
  }
  const { writeCheckpoint } = await import('../../src/model/formats/write-checkpoint.js');
  await writeCheckpoint(config, weights, out, quant, model.tokenizerPath, options);
  return sized(join(out, 'model.safetensors'));
}
