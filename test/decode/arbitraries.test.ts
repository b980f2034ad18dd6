import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { EVERY_RULE, specsWith } from './support/arbitraries.js';

describe('policies that law tests draw', () => {
  it.each(EVERY_RULE)('there are sound ones with $kind $name', (rule) => {
    const specs = fc.sample(specsWith(rule), 8);
    for (const spec of specs) {
      expect(parsePolicySpec(spec)).toEqual(spec);
      const own = spec[rule.kind];
      expect(typeof own === 'string' ? own : own.kind).toBe(rule.name);
    }
    // Different policies, not one again and again.
    expect(new Set(specs.map((spec) => JSON.stringify(spec))).size).toBeGreaterThan(4);
  });
});
