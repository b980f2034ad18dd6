import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { Engine } from '../../src/engine/engine.js';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { Random } from '../../src/score/random.js';
import { type RandomArch, randomConfig, spreadWeights } from '../oracle/random-models.js';

/** `npm run fuzz` takes 200 models a family. */
const MODELS =
  process.env.DLLM_FUZZ_RUNS === undefined ? 2 : Math.min(200, Number(process.env.DLLM_FUZZ_RUNS));

const POLICIES: Readonly<Record<RandomArch, readonly string[]>> = {
  llada: ['llada', 'block-kv', 'llada.cpp'],
  dream: ['llada', 'block-kv'],
  'llada-moe': ['block-kv', 'llada.cpp'],
  rnd1: ['block-kv'],
  llama: ['autoregressive'],
};

describe.skipIf(!hasGgml())('greedy decodes are equal on tfjs, ort and ggml', () => {
  it.each(Object.keys(POLICIES) as RandomArch[])('random models of family %s', async (arch) => {
    for (let seed = 1; seed <= MODELS; seed++) {
      const config = randomConfig(arch, seed);
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
      for (const name of POLICIES[arch]) {
        const policy = composePolicy({
          ...policySpecByName(name),
          ...(arch === 'llama' ? {} : { blockLength: 8 }),
        });
        const answers: number[][] = [];
        for (const engine of engines)
          answers.push([...(await decode({ policy, engine, promptIds, genLength: 16 })).tokens]);
        for (const tokens of answers) expect(tokens, `${arch}, seed ${seed}, ${name}`).toEqual(answers[0]);
      }
      for (const engine of engines) engine.dispose();
    }
  });
});
