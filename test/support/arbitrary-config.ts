import fc from 'fast-check';
import type { ModelConfig } from '../../src/model/config.js';
import type { Architecture } from '../../src/model/families/index.js';
import { familyOf } from '../../src/model/families/index.js';
import type { MoeConfig } from '../../src/model/model-shape.js';

const size = (max: number) => fc.integer({ min: 1, max });

/** Any model of a family that its files can describe. */
export function arbitraryConfig(arch: Architecture): fc.Arbitrary<ModelConfig> {
  const {
    name,
    attention,
    alsoCausal,
    shiftLogits,
    routed,
    renormalises = false,
    text,
    encoder,
  } = familyOf(arch);
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
      const { optional } = familyOf(arch);
      // LLaDA's folders have no norms of Q and K.
      const hasNorm =
        optional.includes('qkNorm') &&
        Object.values(familyOf(arch).folder.keys).some(({ fact }) => fact === 'qkNorm');
      const hasGroups = Object.values(familyOf(arch).folder.keys).some(({ fact }) => fact === 'groups');
      return {
        name: 'random',
        arch: name,
        layers,
        hidden: heads * headDim * (drawn.wide && canBeWide ? 2 : 1),
        heads,
        kvHeads,
        headDim,
        ffn: routed && !(hasGroups && seed % 3 > 0) ? 0 : drawn.width,
        vocab,
        ropeTheta,
        rmsEps,
        qkvBias: drawn.qkvBias && optional.includes('qkvBias'),
        qkNorm: hasNorm && seed % 2 === 1,
        tiedHead,
        moe: routed ? { ...moeOf(drawn, hasGroups), renormalise: renormalises } : undefined,
        shiftLogits,
        attention,
        alsoCausal,
        blockLength: attention === 'block-causal' ? 1 + (seed % 64) : undefined,
        contextLength,
        maskId: text.masks.length === 0 ? null : seed % vocab,
        bosId: drawn.bos ? (seed >> 2) % vocab : null,
        endIds: [...new Set(Array.from({ length: seed % 6 }, (_, i) => (seed >> (3 + i)) % vocab))],
      };
    })
    .map((config) => (encoder ? asEncoder(config) : config));
}

/** Experts, some in groups, beside a shared one and behind dense layers. */
function moeOf(
  { experts, width, seed }: { readonly experts: number; readonly width: number; readonly seed: number },
  hasGroups: boolean,
): Omit<MoeConfig, 'renormalise'> {
  const expertFfn = width;
  if (!hasGroups) return { experts, expertsPerToken: 1 + (seed % experts), expertFfn };
  const groupsPerToken = 1 + (seed % experts);
  return {
    experts: 3 * experts,
    expertsPerToken: 1 + (seed % (3 * groupsPerToken)),
    expertFfn,
    grouped: { groups: experts, groupsPerToken, expertScale: 1 + (seed % 5) / 2 },
    sharedFfn: seed % 2 === 0 ? undefined : 2 * expertFfn,
    denseLayers: seed % 3 === 0 ? undefined : seed % 3,
  };
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
