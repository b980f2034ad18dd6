import { describe, expect, it } from 'vitest';
import { ALL_POLICY_SPECS } from '../../src/decode/policies.js';
import { cli } from '../support/run-cli.js';

describe('verify --policies', () => {
  it('runs and verifies policies on both engines, technique by technique', async () => {
    const { code, stdout } = await cli([
      'verify',
      '--policies',
      'threshold,exact-speculation',
      '--engine',
      'both',
      '--n',
      '1',
      '--gen-length',
      '32',
      '--every',
      '16',
      '--json',
    ]);
    expect(code).toBe(0);
    const { policies, enginesDiffer } = JSON.parse(stdout);
    expect(enginesDiffer).toEqual([]);
    expect(policies.map(({ policy, engine }: Record<string, string>) => [policy, engine])).toEqual([
      ['threshold', 'tfjs-wasm'],
      ['exact-speculation', 'tfjs-wasm'],
      ['threshold', 'ort'],
      ['exact-speculation', 'ort'],
    ]);
    for (const report of policies) expect(report.mismatches).toBe(0);
    expect(policies[1].techniques[0]).toMatchObject({
      technique: 'exact speculation',
      tokenExactWith: 'baseline',
      differing: 0,
    });
  });

  it('refuses unknown policies', async () => {
    expect((await cli(['verify', '--policies', 'thresold'])).code).toBe(2);
  });
});

describe('policies', () => {
  it('is one line a policy; a name asks for the rest', async () => {
    const list = (await cli(['policies'])).stdout.trimEnd().split('\n');
    expect(list.find((line) => line.startsWith('wino '))).toMatch(/shadow copy/);
    expect(list).toHaveLength(ALL_POLICY_SPECS.length + 2);
    const { stdout } = await cli(['policies', 'wino']);
    expect(stdout).toMatch(/source: WINO .*\n.*gives up D4-every-step/);
    expect(stdout).toMatch(/Why these values:[\s\S]*revoke.tau: tau_2/);
  });
});

describe('policies --schema', () => {
  it('prints the schema of policy files', async () => {
    const { code, stdout } = await cli(['policies', '--schema']);
    expect(code).toBe(0);
    const schema = JSON.parse(stdout);
    expect(schema.additionalProperties).toBe(false);
    expect(schema.properties.guidance.default).toBe(0);
  });
});
