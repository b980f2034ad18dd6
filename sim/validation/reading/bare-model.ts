import type { ModelConfig } from '../../../src/model/config.js';
import { LLAMA } from '../../../src/model/families/llama.js';

/** What the layers of a model take time by. */
export type LayerSizes = Pick<ModelConfig, 'layers' | 'hidden' | 'ffn' | 'heads' | 'kvHeads' | 'headDim'>;

/** Layers and nothing else: a vocabulary of no weight. */
export function bareModel(name: string, sizes: LayerSizes): ModelConfig {
  return {
    name,
    arch: LLAMA.name,
    vocab: 32,
    ropeTheta: 1e4,
    rmsEps: 1e-5,
    qkvBias: false,
    qkNorm: false,
    tiedHead: true,
    shiftLogits: false,
    attention: 'bidirectional',
    contextLength: 4096,
    maskId: null,
    bosId: null,
    endIds: [0],
    ...sizes,
  };
}
