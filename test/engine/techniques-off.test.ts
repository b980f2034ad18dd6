import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { inBlocksOf } from '../../src/decode/method/fits.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { ARCHITECTURES, type Architecture } from '../../src/model/families/index.js';
import { spreadWeights } from '../oracle/random-models.js';
import { tinyConfig } from '../support/tiny-model.js';

const MOE = { experts: 6, expertsPerToken: 2, expertFfn: 16, renormalise: true } as const;
const IN_BLOCKS = { attention: 'block-causal', blockLength: 8 } as const;

/** What tells a small model of a family from the others. */
const MODELS: Readonly<Record<Architecture, Partial<ModelConfig>>> = {
  llada: {},
  dream: { qkvBias: true, shiftLogits: true },
  'llada-moe': { qkNorm: true, moe: { ...MOE, renormalise: false } },
  llada2: {
    ...IN_BLOCKS,
    layers: 2,
    qkNorm: true,
    ropeDims: 4,
    moe: {
      ...MOE,
      grouped: { groups: 3, groupsPerToken: 2, expertScale: 2.5 },
      sharedFfn: 16,
      denseLayers: 1,
    },
  },
  sdar: { ...IN_BLOCKS, qkNorm: true },
  'fast-dllm-v2': { ...IN_BLOCKS, qkvBias: true, shiftLogits: true },
  wedlm: { attention: 'causal', qkNorm: true },
  'nemotron-labs-diffusion': { ...IN_BLOCKS, alsoCausal: true, draftAdapter: { rank: 3 } },
  rnd1: { qkNorm: true, moe: MOE },
  llama: { attention: 'causal', shiftLogits: true, maskId: null },
  albert: {
    tiedHead: true,
    qkvBias: true,
    outputBias: true,
    ffnBias: true,
    encoder: { embeddingWidth: 16, tokenTypes: 2, gelu: 'gelu' },
  },
};

type Pair = readonly [technique: string, off: PolicySpecInput, baseline: PolicySpecInput];
const named = (name: string, change: Partial<PolicySpecInput> = {}): PolicySpecInput =>
  ({ ...policySpecByName(name), ...change }) as PolicySpecInput;

/** The paper's ladder with every threshold out of reach, and what is left of it. */
const WHOLE: readonly Pair[] = [
  [
    'STS, SLS and SCR',
    named('llada.cpp', {
      window: { kind: 'block' },
      cache: { kind: 'prefix', seal: 'pass' },
      commit: { kind: 'staged', visible: 1.01, stable: 1.01 },
      speculate: { kind: 'none' },
      refresh: { kind: 'none' },
    }),
    named('block-kv'),
  ],
  ['exact speculation', named('exact-speculation'), named('block-kv')],
  ['parallel commit', named('threshold', { commit: { kind: 'threshold', tau: 1.01 } }), named('block-kv')],
  [
    'several open blocks',
    named('multi-block', { commit: { kind: 'active-blocks', entropy: 0 } }),
    named('llada', { confidence: 'inverse-perplexity' }),
  ],
  [
    'delayed cache',
    named('multi-block-cached', { cache: { kind: 'delayed', delay: 1000 } }),
    named('multi-block'),
  ],
];
const one = named('block-causal', { commit: { kind: 'quota' } });
const BLOCKS: readonly Pair[] = [
  [
    'parallel commit',
    named('block-causal', { commit: { kind: 'threshold', tau: 1.01, compare: 'above' } }),
    one,
  ],
  ['staged commit', named('block-causal', { commit: { kind: 'staged', visible: 1.01, stable: 1.01 } }), one],
  ['exact speculation', named('block-causal', { ...one, speculate: { kind: 'exact' } }), one],
];
const v2 = (commit: PolicySpecInput['commit']) => named('fast-dllm-v2', { commit });
const PAIRS: Readonly<Record<Architecture, readonly Pair[]>> = {
  llada: WHOLE,
  dream: WHOLE,
  'llada-moe': WHOLE,
  rnd1: WHOLE,
  albert: WHOLE,
  llada2: BLOCKS,
  sdar: BLOCKS,
  'fast-dllm-v2': [
    ['sub-blocks', v2({ kind: 'sub-blocks', length: 8, tau: 1.01 }), v2({ kind: 'quota' })],
    ['parallel commit', v2({ kind: 'threshold', tau: 1.01, compare: 'above' }), v2({ kind: 'quota' })],
  ],
  'nemotron-labs-diffusion': [
    ...BLOCKS,
    ['self-speculation', named('nemotron-self-speculation'), named('autoregressive')],
  ],
  // A stream has no setting in which it is another method: what may be skipped is the logits of tokens.
  wedlm: [['skipped logits', named('wedlm'), named('wedlm', { logits: 'all' })]],
  llama: [['skipped logits', named('autoregressive'), named('autoregressive', { logits: 'all' })]],
};

const cases = ARCHITECTURES.flatMap((arch) =>
  PAIRS[arch].map(([what, off, base]) => [arch, what, off, base] as const),
);

/** A baseline is that of several techniques: it is decoded once. */
const baselines = new Map<string, Promise<readonly number[]>>();

async function tokensOf(arch: Architecture, input: PolicySpecInput): Promise<readonly number[]> {
  await useBackend('wasm');
  const config = tinyConfig({
    ...{ arch, name: arch, layers: 1, hidden: 16, heads: 2, kvHeads: 2, ffn: 16, vocab: 24 },
    ...{ endIds: [], tiedHead: false },
    ...MODELS[arch],
  });
  const engine = await createTfjsEngine(config, spreadWeights(config, 11), { backend: 'wasm' });
  const own = parsePolicySpec(input);
  const spec = inBlocksOf({ ...own, blockLength: own.blockLength === 1 ? 1 : 8 }, config);
  const promptIds = [0, 9, 10, 11, 7];
  const { tokens } = await decode({ policy: composePolicy(spec), engine, promptIds, genLength: 16 });
  engine.dispose();
  return tokens;
}

describe('techniques off are the baseline, token for token, for every family', () => {
  it.each(cases)('%s: %s', async (arch, _, off, base) => {
    const key = `${arch} ${JSON.stringify(base)}`;
    const baseline = baselines.get(key) ?? tokensOf(arch, base);
    baselines.set(key, baseline);
    const expected = await baseline;
    expect(await tokensOf(arch, off)).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(1);
  });
});
