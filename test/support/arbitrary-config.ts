import fc from 'fast-check';
import type { ModelConfig } from '../../src/model/config.js';
import type { Architecture } from '../../src/model/families/index.js';
import { familyOf } from '../../src/model/families/index.js';

const size = (max: number) => fc.integer({ min: 1, max });

/** Any model of a family that its files can describe. */
export function arbitraryConfig(arch: Architecture): fc.Arbitrary<ModelConfig> {
  const { name, attention, shiftLogits, routed, text, encoder } = familyOf(arch);
  return fc
    .record({
      layers: size(3),
      kvHeads: size(3),
      group: size(3),
      headDim: size(4).map((half) => 2 * half),
      wide: fc.boolean(),
      width: size(100),
      vocab: fc.integer({ min: 4, max: 40 }),
      ropeTheta: fc.oneof(size(5_000_000), fc.constantFrom(10_000, 500_000, 1.5)),
      rmsEps: fc.constantFrom(1e-5, 1e-6, 3e-6, 1e-12),
      qkvBias: fc.boolean(),
      tiedHead: fc.boolean(),
      contextLength: size(1 << 20),
      experts: fc.integer({ min: 2, max: 6 }),
      bos: fc.boolean(),
      seed: fc.nat(),
    })
    .map((drawn): ModelConfig => {
      const { layers, kvHeads, headDim, vocab, ropeTheta, rmsEps, tiedHead, contextLength, seed } = drawn;
      const heads = kvHeads * drawn.group;
      // LLaDA's folders cannot say that heads are wider than the residual.
      const canBeWide = Object.values(familyOf(arch).folder.keys).some(({ fact }) => fact === 'headDim');
      const hasNorm = Object.values(familyOf(arch).folder.keys).some(({ fact }) => fact === 'qkNorm');
      return {
        name: 'random',
        arch: name,
        layers,
        hidden: heads * headDim * (drawn.wide && canBeWide ? 2 : 1),
        heads,
        kvHeads,
        headDim,
        ffn: routed ? 0 : drawn.width,
        vocab,
        ropeTheta,
        rmsEps,
        qkvBias: drawn.qkvBias,
        qkNorm: hasNorm && seed % 2 === 1,
        tiedHead,
        moe: routed
          ? {
              experts: drawn.experts,
              expertsPerToken: 1 + (seed % drawn.experts),
              expertFfn: drawn.width,
              renormalise: false,
            }
          : undefined,
        shiftLogits,
        attention,
        blockLength: attention === 'block-causal' ? 1 + (seed % 64) : undefined,
        contextLength,
        maskId: text.masks.length === 0 ? null : seed % vocab,
        bosId: drawn.bos ? (seed >> 2) % vocab : null,
        endIds: [...new Set(Array.from({ length: seed % 6 }, (_, i) => (seed >> (3 + i)) % vocab))],
      };
    })
    .map((config) => (encoder ? asEncoder(config) : config));
}

/** The same with what encoders have: K and V of every head, a bias everywhere, a tied head. */
function asEncoder({ heads, headDim, layers, ...config }: ModelConfig): ModelConfig {
  return {
    ...config,
    layers,
    heads,
    headDim,
    hidden: heads * headDim,
    kvHeads: heads,
    ropeTheta: 10_000,
    qkvBias: true,
    outputBias: true,
    ffnBias: true,
    qkNorm: false,
    tiedHead: true,
    encoder: { embeddingWidth: headDim + 1, tokenTypes: layers, gelu: layers > 1 ? 'gelu' : 'gelu_new' },
  };
}
