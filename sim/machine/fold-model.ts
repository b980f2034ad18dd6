import type { ModelConfig } from '../../src/model/config.js';

/** A model with each kind of layer once. */
export interface FoldedModel {
  readonly config: ModelConfig;
  /** For every layer of the model, in order, its layer in `config`. */
  readonly sequence: readonly number[];
  /** How often each layer of `config` occurs. */
  readonly counts: readonly number[];
}

const folded = new WeakMap<ModelConfig, FoldedModel>();

/** Layers of equal shape are equal work, so a pass is known from one of each. */
export function foldModel(model: ModelConfig): FoldedModel {
  let found = folded.get(model);
  if (found === undefined) {
    found = model.timed === undefined ? foldEqual(model) : foldShapes(model, model.timed);
    folded.set(model, found);
  }
  return found;
}

function foldEqual(model: ModelConfig): FoldedModel {
  const config = model.layers === 1 ? model : { ...model, layers: 1 };
  return { config, sequence: new Array<number>(model.layers).fill(0), counts: [model.layers] };
}

/** Kinds in order of first occurrence, so that a layer that reads another's K and V still comes after it. */
function foldShapes(model: ModelConfig, timed: NonNullable<ModelConfig['timed']>): FoldedModel {
  const keys = timed.shapes.map((shape) => JSON.stringify(shape));
  const byKey = new Map(timed.shapes.map((shape, at) => [keys[at], shape]));
  const kinds = [...byKey.keys()];
  const sequence = keys.map((key) => kinds.indexOf(key));
  return {
    config: { ...model, layers: kinds.length, timed: { ...timed, shapes: [...byKey.values()] } },
    sequence,
    counts: kinds.map((_, kind) => sequence.filter((layer) => layer === kind).length),
  };
}
