import { unknownName } from '../../util/nearest.js';
import type { ModelConfig } from '../config.js';
import { familyOf, GGUF_ARCHITECTURES } from '../families/index.js';
import { resolvePreset } from '../presets.js';

/** The published model's proportions in fewer and narrower layers, its vocabulary kept: about 1.4 G parameters. */
function scaledDown(config: ModelConfig): ModelConfig {
  const group = config.heads / config.kvHeads;
  const heads = 16 - (16 % group);
  const hidden = heads * 128;
  return {
    ...config,
    name: `${config.arch}-1b`,
    layers: 16,
    hidden,
    heads,
    kvHeads: heads / group,
    headDim: 128,
    ...(config.moe === undefined
      ? { ffn: 3 * hidden }
      : {
          layers: 4,
          ffn: config.moe.denseLayers === undefined ? 0 : 3 * hidden,
          moe: { ...config.moe, experts: 32, expertFfn: 1024 },
        }),
  };
}

/** Everything small enough for a test, rows a multiple of the quantization block. */
function tiny(config: ModelConfig): ModelConfig {
  const kvHeads = config.kvHeads === config.heads ? 4 : 2;
  return {
    ...config,
    name: `${config.arch}-tiny`,
    layers: 2,
    hidden: 64,
    heads: 4,
    kvHeads,
    headDim: 16,
    ropeDims: config.ropeDims && 8,
    ffn: config.moe === undefined || config.moe.denseLayers !== undefined ? 96 : 0,
    vocab: 512,
    contextLength: 512,
    bosId: 0,
    endIds: [1],
    maskId: config.maskId === null ? null : 5,
    moe: config.moe && {
      ...config.moe,
      experts: 8,
      expertsPerToken: 3,
      expertFfn: 32,
      sharedFfn: config.moe.sharedFfn && 32,
      grouped: config.moe.grouped && { ...config.moe.grouped, groups: 4, groupsPerToken: 2 },
    },
  };
}

/**
 * Shapes of a synthetic model: a published size (`8b` of llada and llama, `7b` of dream and llada-moe), `1b` or `tiny`.
 * @throws UsageError with the nearest names
 */
export function syntheticShapes(arch: string, preset: string): ModelConfig {
  const known = GGUF_ARCHITECTURES.find((name) => name === arch);
  if (known === undefined) throw unknownName('architecture', arch, GGUF_ARCHITECTURES);
  const published = resolvePreset(familyOf(known).published);
  const size = /\b\d+b\b/.exec(published.name)?.[0] ?? published.name;
  if (preset === size || preset === published.name) return published;
  if (preset === '1b') return scaledDown(published);
  if (preset === 'tiny') return tiny(published);
  throw unknownName(`preset of ${known}`, preset, [size, '1b', 'tiny']);
}
