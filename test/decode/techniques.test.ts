import { describe, expect, it } from 'vitest';
import { techniquesOf } from '../../src/decode/method/techniques.js';
import { POLICY_SPECS, policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';

const names = (policy: string) =>
  techniquesOf(parsePolicySpec(policySpecByName(policy))).map(({ technique }) => technique);

describe('techniques of a policy', () => {
  it('are the ladder of the paper, from the full system down', () => {
    expect(names('llada.cpp')).toEqual([
      'sparse cache refresh',
      'selective logits skipping',
      'staged token stabilization',
      'multi-block speculation',
      'KV reuse',
    ]);
    expect(names('exact-speculation-threshold')).toEqual([
      'exact speculation',
      'parallel commit',
      'KV reuse',
    ]);
    expect(names('wino')).toEqual(['revocation']);
    expect(names('llada')).toEqual([]);
  });

  it('end at the full canvas without a cache for every named policy', () => {
    for (const spec of POLICY_SPECS) {
      const last = techniquesOf(parsePolicySpec(spec)).at(-1)?.without ?? parsePolicySpec(spec);
      expect(last.window.kind).toBe('canvas');
      expect(last.cache.kind).toBe('none');
    }
  });
});
