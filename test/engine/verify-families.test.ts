import { beforeAll, describe, expect, it } from 'vitest';
import { inBlocksOf } from '../../src/decode/method/fits.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { verifyPolicy } from '../../src/engine/verify/verify-policy.js';
import type { ModelConfig } from '../../src/model/config.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const IN_BLOCKS = { attention: 'block-causal', blockLength: 8 } as const;
const BOTH = { ...IN_BLOCKS, alsoCausal: true } as const;

/** Models by what they were trained to see, each with a policy that its authors use. */
const CASES: readonly (readonly [string, Partial<ModelConfig>])[] = [
  ['block-causal', IN_BLOCKS],
  ['joint-threshold', IN_BLOCKS],
  ['fast-dllm-v2', { ...IN_BLOCKS, shiftLogits: true }],
  ['wedlm', { attention: 'causal' }],
  ['nemotron-self-speculation', BOTH],
  ['bounded-rank', BOTH],
];

describe('verifyPolicy on models that see blocks, or only what is left of them', () => {
  beforeAll(() => useBackend('wasm'));

  it.each(CASES)('%s', async (name, trained) => {
    const config = tinyConfig({ ...trained, name: 'tiny' });
    const source = randomWeights(config, 7);
    const engine = await createTfjsEngine(config, source, { backend: 'wasm' });
    const weights = await loadWeightTensors(config, source);
    const spec = inBlocksOf(parsePolicySpec(policySpecByName(name)), config);
    const problems = [{ index: 0, promptIds: [0, 10, 11, 12, 13, 4, 7, 8, 9, 20] }];
    const report = await verifyPolicy({ engine, weights, spec, problems, genLength: 32 });
    engine.dispose();
    weights.dispose();
    expect(report).toMatchObject({ policy: name, mismatches: 0, first: null });
    expect(report.specification.rows).toBeGreaterThan(20);
    // Without its cache a policy shows rows the whole canvas, which these models never saw.
    for (const { technique, because } of report.notCompared) {
      expect(technique).toBe('KV reuse');
      expect(because).toMatch(/^model tiny .* and policy .* without KV reuse shows rows what is right/);
    }
    expect(report.notCompared).toHaveLength(config.attention === 'block-causal' && !report.twin ? 1 : 0);
  });
});
