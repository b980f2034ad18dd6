import type { PassShape } from '../pass/shape.js';
import { Recent } from '../util/recent.js';
import { buildGraph } from './build-graph.js';
import type { ModelConfig } from './config.js';
import type { OpGraph, Precision } from './graph.js';
import { precisionKey } from './precision.js';

/** A decode visits few shapes; this bounds memory for sweeps (an 8B graph is about 0.4 MB). */
const LIMIT = 128;

const caches = new WeakMap<ModelConfig, Recent<OpGraph>>();

/** Identifies a pass shape within a model and precision. */
export function shapeKey(shape: PassShape): string {
  const sets = shape.kvSets.filter((set) => set.length > 0).map((set) => `${set.name}:${set.length}`);
  const logits = `${shape.logitsRows}${shape.sampledRows === undefined ? '' : `/${shape.sampledRows}`}`;
  const adapter = shape.adapter === true ? '|adapter' : '';
  return `${shape.rows}|${logits}|${shape.masked ? 'masked' : 'open'}|${sets.join(',')}${adapter}`;
}

/** `buildGraph`, remembering the most recently used shapes per model object. Graphs are immutable: share them. */
export function graphFor(config: ModelConfig, shape: PassShape, precision: Precision): OpGraph {
  let cache = caches.get(config);
  if (cache === undefined) {
    cache = new Recent(LIMIT);
    caches.set(config, cache);
  }
  const key = `${precisionKey(precision)}|${shapeKey(shape)}`;
  return cache.get(key, () => buildGraph(config, shape, precision));
}
