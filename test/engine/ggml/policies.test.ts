import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { inBlocksOf, misfit } from '../../../src/decode/method/fits.js';
import { decode, maskFor } from '../../../src/decode/method/session.js';
import { ALL_POLICY_SPECS } from '../../../src/decode/policies.js';
import { parsePolicySpec } from '../../../src/decode/spec.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { useBackend } from '../../../src/engine/tfjs/backend.js';
import { type LoadedWeights, loadWeightTensors } from '../../../src/engine/tfjs/weight-tensors.js';
import { verifySteps } from '../../../src/engine/verify/verify.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const PROMPT = [0, 10, 11, 12, 13, 14, 15, 4];
const BLOCK = 8;

/** Models of every kind of training that a policy may ask for. */
const MODELS = [
  tinyConfig(),
  tinyConfig({ arch: 'fast-dllm-v2', attention: 'block-causal', blockLength: BLOCK, shiftLogits: true }),
  tinyConfig({ arch: 'wedlm', attention: 'causal' }),
  tinyConfig({ arch: 'llama', attention: 'causal', shiftLogits: true, maskId: null }),
  tinyConfig({
    arch: 'nemotron-labs-diffusion',
    alsoCausal: true,
    draftAdapter: { rank: 3 },
    attention: 'block-causal',
    blockLength: BLOCK,
  }),
];

interface Opened {
  readonly config: ModelConfig;
  readonly engine: Engine;
  readonly weights: LoadedWeights;
}

describe.skipIf(!hasGgml())('every policy that `policies` lists, decoded by ggml', () => {
  let opened: Opened[];

  beforeAll(async () => {
    await useBackend('wasm');
    opened = await Promise.all(
      MODELS.map(async (config) => {
        const source = randomWeights(config, 7);
        const engine = await createGgmlEngine(config, source, { threads: 1 });
        return { config, engine, weights: await loadWeightTensors(config, source) };
      }),
    );
  });
  afterAll(() => {
    for (const { engine, weights } of opened) {
      engine.dispose();
      weights.dispose();
    }
  });

  it.each(ALL_POLICY_SPECS.map((spec) => [spec.name, parsePolicySpec(spec)] as const))(
    '%s: every scored row follows, in plain f32, from the context it was entitled to see',
    async (_, spec) => {
      const own = { ...spec, blockLength: Math.min(spec.blockLength, BLOCK) };
      const within = ({ config }: Opened) => inBlocksOf(own, config);
      const { config, engine, weights } = opened.find(
        (model) => misfit(within(model), model.config) === null,
      )!;
      const policy = composePolicy(inBlocksOf(own, config));
      const { steps, counters } = await decode({ policy, engine, promptIds: PROMPT, genLength: 3 * BLOCK });
      const maskId = maskFor(policy, config);
      const report = verifySteps(steps, { config, weights, scoring: policy.scoring, maskId });
      expect(report.mismatches).toEqual([]);
      expect(report.rows).toBe(counters.logitsRows);
      expect(report.rows).toBeGreaterThan(0);
      expect(report.maxConfidenceError).toBeLessThan(1e-4);
    },
  );
});
