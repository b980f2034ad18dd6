import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';

describe('a counterexample', () => {
  it('is printed with the command that runs it again', () => {
    let message = '';
    const property = fc.property(fc.nat(), (n) => n < 1000);
    try {
      fc.assert(property);
    } catch (error) {
      message = String(error);
    }
    const command =
      /DLLM_CASE='(-?\d+):(\S+)' node node_modules\/vitest\/vitest\.mjs run test\/properties\/replay\.test\.ts -t 'a counterexample is printed with the command that runs it again'/;
    expect(message).toMatch(command);
    const [, seed, path] = command.exec(message) ?? [];
    const again = fc.check(property, { seed: Number(seed), path: path ?? '', endOnFailure: true });
    expect(again.failed).toBe(true);
    expect(again.counterexample).toEqual([1000]);
    expect(again.numRuns).toBe(1);
  });

  it('is found again in a policy, whose parts come from a pool that no path leads into', async () => {
    const before = fc.readConfigureGlobal();
    vi.resetModules();
    const { anySpec } = await import('../decode/support/arbitraries.js');
    fc.configureGlobal(Object.assign({}, before, { seed: 1, path: '34:0:1:1' }));
    try {
      expect(fc.sample(anySpec, { seed: 1, path: '', numRuns: 1 })).toHaveLength(1);
    } finally {
      fc.configureGlobal(before);
    }
  });
});
