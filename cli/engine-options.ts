import { type Command, Option } from 'commander';
import type { Engine } from '../src/engine/engine.js';
import type { LoadedModel } from '../src/model/load.js';
import type { Context } from './io.js';
import { integer } from './numbers.js';
import { progressBar } from './progress.js';

/** What runs a model; shared by every command that does. */
export interface EngineOptions {
  readonly engine: string;
  readonly backend: string;
  readonly threads: number;
  readonly compute: string;
}

const ENGINES = ['tfjs', 'ort', 'npu-numerics'] as const;
const COMPUTES = ['f32', 'int8'] as const;

/** @param engine the command's default */
export function addEngineOptions(command: Command, engine: (typeof ENGINES)[number] = 'tfjs'): Command {
  return command
    .option(
      '--engine <name>',
      "tfjs: the f32 reference; ort: ONNX Runtime, weights as stored; npu-numerics: the NPU's arithmetic",
      engine,
    )
    .option('--backend <name>', 'backend of tfjs: wasm, cpu, node (when installed)', 'wasm')
    .option('--threads <n>', 'threads of ort', integer(1, 256), 1)
    .addOption(
      new Option('--compute <kind>', 'ort, quantised products: f32 (exact), int8 (faster)').default('f32'),
    );
}

/**
 * Starts the engine that was asked for. The first use of a file by ort converts it, with a progress bar.
 * @throws UsageError with the nearest names; EnvironmentError when the engine is not installed
 */
export async function openEngine(ctx: Context, model: LoadedModel, options: EngineOptions): Promise<Engine> {
  const { unknownName } = await import('../src/util/nearest.js');
  const kind = ENGINES.find((name) => name === options.engine);
  if (kind === undefined) throw unknownName('engine', options.engine, ENGINES);
  if (kind === 'tfjs') {
    const { createTfjsEngine } = await import('../src/engine/tfjs/engine.js');
    const { availableBackend } = await import('../src/engine/tfjs/node-backend.js');
    const backend = await availableBackend(options.backend, (note) => ctx.note(note));
    return createTfjsEngine(model.config, model.weights, { backend });
  }
  if (kind === 'npu-numerics') {
    const { createNpuNumericsEngine } = await import('../src/engine/npu-numerics/engine.js');
    return createNpuNumericsEngine(model.config, model.weights);
  }
  const compute = COMPUTES.find((name) => name === options.compute);
  if (compute === undefined) throw unknownName('compute', options.compute, COMPUTES);
  const { createOrtEngine } = await import('../src/engine/ort/engine.js');
  const bar = progressBar(ctx, 'MB converted');
  try {
    return await createOrtEngine(model.config, model.weights, {
      threads: options.threads,
      compute,
      weightsPath: model.weightsPath,
      signal: ctx.signal,
      onProgress: (done, total) => bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
    });
  } finally {
    bar.stop();
  }
}
