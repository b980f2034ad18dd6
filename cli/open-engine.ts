import { openEngine as open } from '../experiments/lab/open.js';
import type { DeciderSetup } from '../experiments/lab/setup.js';
import type { Engine } from '../src/engine/engine.js';
import type { LoadedModel } from '../src/model/load.js';
import type { Context } from './io.js';
import { progressBar } from './progress.js';

/**
 * Starts the engine that was asked for. With a progress bar: ort converts a file at its first use, ggml loads it.
 * @throws EnvironmentError when the engine is not installed
 */
export async function openEngine(
  ctx: Context,
  model: LoadedModel,
  settings: Partial<Omit<DeciderSetup, 'workload'>>,
): Promise<Engine> {
  const bar = progressBar(ctx, settings.engine === 'ort' ? 'MB converted' : 'MB loaded');
  return open(model, settings, {
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(Math.round(done / 1e6), Math.round(total / 1e6)),
    onFallback: (note) => ctx.note(note),
    onMemory: (note) => ctx.note(note),
  }).finally(() => bar.stop());
}
