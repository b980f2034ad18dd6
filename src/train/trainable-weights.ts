import * as tf from '@tensorflow/tfjs-core';
import type { WeightTensors } from '../engine/tfjs/bindings.js';
import type { ModelConfig } from '../model/config.js';
import { embeddingId, headId, weightShapes } from '../model/weight-ids.js';
import { memoryWeights, type WeightSource } from '../model/weights.js';
import type { Random } from '../score/random.js';

/** A weight in the layout of the checkpoint, [out, in]. */
export interface PlainWeight {
  shape: readonly number[];
  values: Float32Array;
}

/**
 * The weights of a model as tfjs variables. Matrices are held transposed, [in, out], as the executor multiplies
 * by them; the embedding is held as a table, and a tied head transposes it inside the graph.
 */
export class TrainableWeights implements WeightTensors {
  private readonly byId = new Map<string, tf.Variable>();

  constructor(
    private readonly config: ModelConfig,
    initial: ReadonlyMap<string, PlainWeight>,
  ) {
    for (const [id, shape] of weightShapes(config)) {
      const weight = initial.get(id);
      if (weight === undefined) throw new Error(`no initial value for ${id}`);
      const tensor = tf.tensor(weight.values, [...shape]);
      const held = this.isHeldTransposed(id) ? tf.transpose(tensor) : tensor;
      // Graph gradients are keyed by variable name, which must be unique in the process.
      this.byId.set(id, tf.variable(held, true));
      tf.dispose([tensor, held]);
    }
  }

  plain(id: string): tf.Tensor {
    return this.variable(id);
  }

  transposed(id: string): tf.Tensor {
    return this.isHeldTransposed(id) ? this.variable(id) : tf.transpose(this.variable(id));
  }

  entries(): IterableIterator<[string, tf.Variable]> {
    return this.byId.entries();
  }

  variable(id: string): tf.Variable {
    const variable = this.byId.get(id);
    if (variable === undefined) throw new Error(`no weight ${id}`);
    return variable;
  }

  /** A tensor in the layout of variable `id`, back in the checkpoint's layout. */
  toPlain(id: string, tensor: tf.Tensor): PlainWeight {
    return tf.tidy(() => {
      const plain = this.isHeldTransposed(id) ? tf.transpose(tensor) : tensor;
      return { shape: plain.shape, values: Float32Array.from(plain.dataSync<'float32'>()) };
    });
  }

  /** A copy that no longer depends on tfjs. */
  snapshot(label: string): WeightSource {
    return memoryWeights(label, new Map([...this.byId].map(([id, v]) => [id, this.toPlain(id, v)])));
  }

  dispose(): void {
    for (const variable of this.byId.values()) variable.dispose();
  }

  private isHeldTransposed(id: string): boolean {
    if (id === embeddingId()) return false;
    return id === headId(this.config) || (weightShapes(this.config).get(id)?.length ?? 0) > 1;
  }
}

/** Initial weights of the recipe: normal; residual outputs smaller so that depth does not inflate the stream. */
export function initialWeights(config: ModelConfig, random: Random): Map<string, PlainWeight> {
  const weights = new Map<string, PlainWeight>();
  for (const [id, shape] of weightShapes(config)) {
    const values = new Float32Array(shape.reduce((size, extent) => size * extent, 1)).fill(1);
    if (shape.length > 1) {
      let scale = id === embeddingId() ? 0.02 : (shape.at(-1) ?? 1) ** -0.5;
      if (id.includes('attn_output') || id.includes('ffn_down')) scale /= Math.sqrt(2 * config.layers);
      for (let i = 0; i < values.length; i++) values[i] = scale * gaussian(random);
    }
    weights.set(id, { shape, values });
  }
  return weights;
}

/** Box-Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}
