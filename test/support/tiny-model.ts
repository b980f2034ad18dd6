import type { ModelConfig } from '../../src/model/config.js';
import { elementsOf } from '../../src/model/dtype.js';
import { weightShapes } from '../../src/model/weight-ids.js';
import { memoryWeights, type WeightSource } from '../../src/model/weights.js';
import { Random } from '../../src/score/random.js';

/** A small dense model; fields can be replaced to reach every path of the graph. */
export function tinyConfig(overrides: Partial<ModelConfig> = {}): ModelConfig {
  return {
    name: 'tiny-random',
    arch: 'llada',
    layers: 2,
    hidden: 32,
    heads: 4,
    kvHeads: 4,
    headDim: 8,
    ffn: 48,
    vocab: 40,
    ropeTheta: 10_000,
    rmsEps: 1e-5,
    qkvBias: false,
    qkNorm: false,
    tiedHead: true,
    shiftLogits: false,
    attention: 'bidirectional',
    contextLength: 256,
    maskId: 5,
    bosId: 0,
    endIds: [1],
    ...overrides,
  };
}

/** Seeded weights at the scale of a trained model: gains near 1, matrices of variance 1 / fan-in. */
export function randomWeights(config: ModelConfig, seed = 1): WeightSource {
  const random = new Random(seed);
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const [id, shape] of weightShapes(config)) {
    const scale = shape.length === 1 ? 0.2 : Math.sqrt(3 / (shape.at(-1) ?? 1));
    const centre = shape.length === 1 && id.endsWith('.weight') ? 1 : 0;
    // Not `from` a length: that takes three times as long, and millions are asked for.
    const values = new Float32Array(elementsOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = centre + scale * (2 * random.next() - 1);
    tensors.set(id, { shape, values });
  }
  return memoryWeights('random weights', tensors);
}
