import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { composePolicy, type DecodingPolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName, usualPolicy } from '../../src/decode/policies.js';
import type { Engine } from '../../src/engine/engine.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { ARCHITECTURES, type Architecture } from '../../src/model/families/index.js';
import { Random } from '../../src/score/random.js';
import { type RandomArch, randomConfig, spreadWeights } from '../oracle/random-models.js';
import { arbitraryConfig } from '../support/arbitrary-config.js';

/** `npm run fuzz` takes 200 models a family. */
const MODELS =
  process.env.DLLM_FUZZ_RUNS === undefined ? 2 : Math.min(200, Number(process.env.DLLM_FUZZ_RUNS));

/** Beside the one that the family is decoded with by itself. */
const POLICIES: Readonly<Partial<Record<Architecture, readonly string[]>>> = {
  llada: ['llada', 'block-kv', 'llada.cpp'],
  dream: ['llada', 'block-kv'],
  'llada-moe': ['block-kv', 'llada.cpp'],
  rnd1: ['block-kv'],
};

const BLOCK = 8;

/** Of any shape that files of the family can describe, with room for a prompt and an answer. */
function draw(arch: Architecture, seed: number): ModelConfig {
  if (isDrawnForLlama(arch)) return randomConfig(arch, seed);
  const [drawn] = fc.sample(arbitraryConfig(arch), { seed, numRuns: 1 });
  const { vocab, attention } = drawn;
  return {
    ...drawn,
    vocab: vocab + 8,
    contextLength: 64,
    blockLength: attention === 'block-causal' ? BLOCK : undefined,
    maskId: drawn.maskId === null ? null : vocab,
    endIds: [vocab + 1],
  };
}

function isDrawnForLlama(arch: Architecture): arch is RandomArch {
  return ['llada', 'dream', 'llada-moe', 'rnd1', 'llama'].includes(arch);
}

function policiesOf(arch: Architecture, config: ModelConfig): DecodingPolicy[] {
  const specs = [usualPolicy(config), ...(POLICIES[arch] ?? []).map(policySpecByName)];
  return [...new Map(specs.map((spec) => [spec.name, spec])).values()].map((spec) =>
    composePolicy(spec.blockLength === 1 ? spec : { ...spec, blockLength: BLOCK }),
  );
}

describe.skipIf(!hasGgml())('greedy decodes are equal on tfjs, ort and ggml', () => {
  it.each(ARCHITECTURES)('random models of family %s', async (arch) => {
    for (let seed = 1; seed <= MODELS; seed++) {
      const config = draw(arch, seed);
      const weights = spreadWeights(config, seed);
      const engines: Engine[] = [
        await createTfjsEngine(config, weights),
        await createOrtEngine(config, weights),
        await createGgmlEngine(config, weights, { threads: 1 }),
      ];
      const random = new Random(seed);
      // Masks in a prompt are refused.
      const words = [...Array(config.vocab).keys()].filter((id) => id !== config.maskId);
      const promptIds = Array.from({ length: random.integer(1, 12) }, () => random.pick(words));
      for (const policy of policiesOf(arch, config)) {
        const answers: number[][] = [];
        for (const engine of engines)
          answers.push([...(await decode({ policy, engine, promptIds, genLength: 2 * BLOCK })).tokens]);
        for (const tokens of answers)
          expect(tokens, `${arch}, seed ${seed}, ${policy.name}`).toEqual(answers[0]);
      }
      for (const engine of engines) engine.dispose();
    }
  });
});
