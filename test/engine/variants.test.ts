import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.js';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { createOrtEngine } from '../../src/engine/ort/engine.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { denoisePass } from '../support/passes.js';
import { plainForward } from '../support/plain-forward.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** What a configuration may say beside the sizes, over heads of 16 channels. */
const VARIANTS: Readonly<Record<string, Partial<ModelConfig>>> = {
  'linear scaling': { ropeScaling: { kind: 'linear', factor: 4 } },
  'llama3 scaling': {
    ropeScaling: {
      kind: 'llama3',
      factor: 8,
      lowFrequencyFactor: 1,
      highFrequencyFactor: 4,
      originalContext: 100,
    },
  },
  YaRN: {
    ropeScaling: {
      kind: 'yarn',
      factor: 4,
      originalContext: 64,
      betaFast: 8,
      betaSlow: 1,
      attentionFactor: 1.2,
    },
  },
  'divided frequencies': { ropeScaling: { kind: 'factors', factors: [1, 2, 3, 4, 5, 6, 7, 8] } },
  'half of the channels': { ropeDims: 8 },
  'half of the channels, scaled': {
    ropeDims: 8,
    ropeScaling: { kind: 'linear', factor: 2 },
  },
  'biases everywhere': { qkvBias: true, outputBias: true, ffnBias: true },
};

const rows = Array.from({ length: 9 }, (_, i) => ({ position: 11 * i, feed: 3 + 2 * i }));

async function logitsOf(engine: Engine): Promise<Float32Array> {
  const { logits } = await engine.run(denoisePass(0, rows));
  engine.dispose();
  return logits;
}

const ENGINES = [
  ['tfjs', createTfjsEngine, 1e-4],
  ['ort', createOrtEngine, 1e-4],
  // It rounds as the NPU does.
  ['npu-numerics', createNpuNumericsEngine, 0.1],
] as const;

describe.each(Object.entries(VARIANTS))('%s', (_, overrides) => {
  const config = tinyConfig({ headDim: 16, hidden: 64, contextLength: 256, ...overrides });
  const weights = randomWeights(config, 7);

  it.each(ENGINES)('%s computes what the formulas say', async (_name, create, bound) => {
    const expected = (await plainForward(config, weights, rows)).logits.flat();
    const { ropeDims: _d, ropeScaling: _s, ...rest } = config;
    const plain = { ...rest, outputBias: false, ffnBias: false, qkvBias: false };
    const without = (await plainForward(plain, weights, rows)).logits.flat();
    const logits = await logitsOf(await create(config, weights));
    const off = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - logits[i])), 0);
    const change = expected.reduce((max, value, i) => Math.max(max, Math.abs(value - without[i])), 0);
    expect(off).toBeLessThan(bound);
    expect(change).toBeGreaterThan(2 * bound);
  });
});
