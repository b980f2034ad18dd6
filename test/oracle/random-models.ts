import { join } from 'node:path';
import type { ModelConfig } from '../../src/model/config.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import type { Quant } from '../../src/model/precision.js';
import type { WeightSource } from '../../src/model/weights.js';
import { Random } from '../../src/score/random.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

export type RandomArch = 'llada' | 'dream' | 'llada-moe' | 'rnd1' | 'llama';

/** Families whose GGUF files llama.cpp reads in an open pull request only. */
export const NOT_IN_LLAMA_CPP: readonly string[] = ['llada2'];

/** A small model of random shape that llama.cpp can load: rows of whole blocks, heads of whole vectors. */
export function randomConfig(arch: RandomArch, seed: number): ModelConfig {
  const random = new Random(seed);
  const headDim = random.pick([16, 32]);
  // Heads as wide as the residual, which is whole blocks of 32: several of llama.cpp's loaders assume it.
  const kvHeads = arch === 'llada-moe' || headDim < 32 ? 2 : random.pick([1, 2]);
  const heads = arch === 'llada-moe' ? kvHeads : kvHeads * random.pick([1, 2]);
  const expertsPerToken = random.integer(1, 4);
  const routed = arch === 'llada-moe' || arch === 'rnd1';
  return tinyConfig({
    arch,
    name: `${arch}-${seed}`,
    layers: random.integer(1, 3),
    headDim,
    heads,
    kvHeads,
    hidden: heads * headDim,
    ffn: 32 * random.integer(1, 4),
    vocab: 32 * random.integer(1, 6),
    tiedHead: random.next() < 0.3,
    ropeTheta: random.pick([1e4, 5e5]),
    ...(arch === 'dream' ? { qkvBias: true, shiftLogits: true, rmsEps: 1e-6 } : {}),
    ...(arch === 'llama' ? { attention: 'causal', shiftLogits: true, maskId: null } : {}),
    ...(routed
      ? {
          ffn: 0,
          qkNorm: true,
          tiedHead: false,
          moe: {
            experts: expertsPerToken + random.integer(1, 6),
            expertsPerToken,
            expertFfn: 32,
            renormalise: arch === 'rnd1',
          },
        }
      : {}),
  });
}

/**
 * The gain of the last norm. With gains near 1 random models give every token much the same probability, so that the
 * order of positions hangs on digits no f32 sum is sure of. Three times as much gives what trained models have: logits
 * of order 1 to 10 and confidences all over (0, 1).
 */
const LOGIT_SPREAD = 3;

function spread(weights: WeightSource): WeightSource {
  const read = async (id: string): Promise<Float32Array> => {
    const values = await weights.read(id);
    return id === 'output_norm.weight' ? values.map((value) => value * LOGIT_SPREAD) : values;
  };
  return { ...weights, read, readRaw: async (id) => new Uint8Array((await read(id)).slice().buffer) };
}

/** Random weights with logits spread as those of trained models. */
export function spreadWeights(config: ModelConfig, seed: number): WeightSource {
  return spread(randomWeights(config, seed));
}

/** Writes random weights as a GGUF file without tokenizer. */
export async function writeRandomGguf(
  config: ModelConfig,
  seed: number,
  directory: string,
  quant: Quant = 'f32',
): Promise<{ readonly path: string; readonly weights: WeightSource }> {
  const path = join(directory, `${config.name}-${seed}-${quant}.gguf`);
  const weights = spreadWeights(config, seed);
  const none = new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' } as const]]);
  await writeModelGguf(config, weights, path, quant, none);
  return { path, weights };
}
