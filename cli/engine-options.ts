import { type Command, Option } from 'commander';
import type { Engine } from '../src/engine/engine.js';
import type { EngineName } from '../src/engine/registry.js';
import { TFJS_BACKENDS } from '../src/engine/tfjs/backends.js';
import type { LoadedModel } from '../src/model/load.js';
import { COMPUTES } from '../src/onnx/compute.js';
import { unknownName } from '../src/util/nearest.js';
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

/** @param engine the command's default */
export function addEngineOptions(command: Command, engine: EngineName = 'tfjs'): Command {
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
  const registry = await import('../src/engine/registry.js');
  const backend = TFJS_BACKENDS.find((name) => name === options.backend);
  if (backend === undefined) throw unknownName('backend', options.backend, TFJS_BACKENDS);
  const compute = COMPUTES.find((name) => name === options.compute);
  if (compute === undefined) throw unknownName('compute', options.compute, COMPUTES);
  const bar = progressBar(ctx, 'MB converted');
  try {
    return await registry.openEngine(
      registry.engineByName(options.engine),
      model,
      { backend, threads: options.threads, compute },
      {
        signal: ctx.signal,
        onProgress: (done, total) => bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
        onFallback: (note) => ctx.note(note),
      },
    );
  } finally {
    bar.stop();
  }
}
