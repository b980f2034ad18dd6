import { describe, expect, it } from 'vitest';
import { cli } from '../support/run-cli.js';

describe('verify', () => {
  const quick = ['verify', '--n', '1', '--gen-length', '32', '--every', '8'];

  it('prints its verdict as data', async () => {
    const { code, stdout } = await cli([
      ...quick,
      '--policy',
      'exact-speculation',
      '--block-length',
      '8',
      '--json',
    ]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      policy: 'exact-speculation',
      problems: 1,
      tokens: 32,
      mismatches: 0,
      first: null,
    });
    expect(report.forwards.policy).toBeLessThan(report.forwards.twin);
  });

  it('names what a policy gives up', async () => {
    const { code, stdout } = await cli([...quick, '--policy', 'fast-dllm-dual']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/token-exact with its own specification/);
    expect(stdout).toMatch(/given up by design: B2-masked-kv/);
  });

  it('refuses an unknown policy and asks for one', async () => {
    expect((await cli(['verify', '--policy', 'exact'])).code).toBe(2);
    expect((await cli(['verify'])).code).toBe(2);
  });
});
