import type { ModelConfig } from '../../src/model/config.js';

const folded = new WeakMap<ModelConfig, { config: ModelConfig; layers: number }>();

/** A model of equal layers as one layer and a count; a model whose layers differ stays as it is. */
export function foldModel(model: ModelConfig): { readonly config: ModelConfig; readonly layers: number } {
  let found = folded.get(model);
  if (found === undefined) {
    const equal = model.timed === undefined && model.layers > 1;
    found = equal ? { config: { ...model, layers: 1 }, layers: model.layers } : { config: model, layers: 1 };
    folded.set(model, found);
  }
  return found;
}
