import { cooperative } from '../../src/engine/cooperative.js';
import type { Engine } from '../../src/engine/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { LoadedModel } from '../../src/model/load.js';

export const DECIDING_ENGINES = ['tfjs', 'ort', 'npu-numerics'] as const;
export type DecidingEngine = (typeof DECIDING_ENGINES)[number];

/** An engine for decisions that must not depend on threads: one thread, activations as the engine has them in f32. */
export async function openEngine(kind: DecidingEngine, model: LoadedModel): Promise<Engine> {
  const { config, weights, weightsPath } = model;
  if (kind === 'tfjs') return cooperative(await createTfjsEngine(config, weights, { backend: 'wasm' }));
  if (kind === 'npu-numerics') {
    const { createNpuNumericsEngine } = await import('../../src/engine/npu-numerics/engine.js');
    return cooperative(await createNpuNumericsEngine(config, weights));
  }
  const { createOrtEngine } = await import('../../src/engine/ort/engine.js');
  return cooperative(await createOrtEngine(config, weights, { threads: 1, compute: 'f32', weightsPath }));
}
