import type { ModelConfig } from '../../../src/model/config.js';
import { resolvePreset } from '../../../src/model/presets.js';

const SMALL = {
  hidden: 128,
  heads: 4,
  kvHeads: 2,
  headDim: 32,
  ffn: 192,
  vocab: 320,
  contextLength: 512,
} as const;

function timedOf(name: string): NonNullable<ModelConfig['timed']> {
  const { timed } = resolvePreset(name);
  if (timed === undefined) throw new Error(`${name} has no shapes of its own`);
  return timed;
}

/** Models with every kind of operator, small. Their families are true, their sizes made up. */
export const MODELS: Readonly<Record<string, ModelConfig>> = {
  plain: { ...resolvePreset('llada-8b'), ...SMALL, name: 'plain', layers: 3, ffn: 256 },
  'with norms and biases': {
    ...resolvePreset('llada-8b'),
    ...SMALL,
    name: 'with norms and biases',
    layers: 2,
    qkNorm: true,
    qkvBias: true,
  },
  routed: {
    ...resolvePreset('llada-moe-7b-a1b'),
    ...SMALL,
    name: 'routed',
    layers: 2,
    moe: { experts: 7, expertsPerToken: 2, expertFfn: 96, renormalise: false },
  },
  encoder: {
    ...resolvePreset('rxnmapper'),
    name: 'encoder',
    layers: 2,
    hidden: 128,
    heads: 4,
    kvHeads: 4,
    headDim: 32,
    ffn: 256,
    vocab: 320,
  },
  'short convolutions': {
    ...resolvePreset('lfm2-350m'),
    ...SMALL,
    name: 'short convolutions',
    layers: 3,
    timed: { ...timedOf('lfm2-350m'), shapes: timedOf('lfm2-350m').shapes.slice(1, 4) },
  },
  recurrent: {
    ...resolvePreset('qwen3.5-0.8b'),
    ...SMALL,
    name: 'recurrent',
    layers: 2,
    timed: {
      ...timedOf('qwen3.5-0.8b'),
      shapes: timedOf('qwen3.5-0.8b').shapes.slice(2, 4),
      delta: { keyHeads: 2, valueHeads: 4, keyDim: 24, valueDim: 40 },
    },
  },
  'layers of their own': {
    ...resolvePreset('gemma-4-e2b'),
    ...SMALL,
    name: 'layers of their own',
    layers: 3,
    timed: {
      layerInput: 64,
      shapes: [
        { mixer: 'attention', headDim: 32, window: 40, ffn: 160 },
        { mixer: 'attention', headDim: 64, kvHeads: 1, ffn: 96 },
        { mixer: 'shared-kv', headDim: 32, window: 40, ffn: 160 },
      ],
    },
  },
};
