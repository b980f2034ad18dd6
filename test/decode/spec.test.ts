import { describe, expect, it } from 'vitest';
import { composePolicy } from '../../src/decode/method/compose.js';
import { POLICY_NAMES, POLICY_SPECS, policyByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';
import { UsageError } from '../../src/errors.js';

const base: PolicySpecInput = {
  name: 'test',
  window: { kind: 'sliding' },
  cache: { kind: 'prefix', seal: 'delayed' },
  commit: { kind: 'staged' },
};

describe('policy specs', () => {
  it('are complete after parsing, survive JSON, and parse to themselves', () => {
    for (const spec of POLICY_SPECS) {
      const full = parsePolicySpec(spec);
      expect(parsePolicySpec(JSON.parse(JSON.stringify(full)))).toEqual(full);
      expect(full.description).not.toBe('');
      expect(full.source).not.toBe('');
    }
  });

  it('carry the operating point of the paper', () => {
    const { spec } = policyByName('llada.cpp');
    expect(spec).toMatchObject({
      blockLength: 32,
      commit: { kind: 'staged', visible: 0.7, stable: 0.9 },
      window: { kind: 'sliding', lookahead: { trigger: 4 } },
      logits: 'active',
      refresh: { kind: 'cpu' },
    });
    expect(POLICY_NAMES).toEqual([
      'llada',
      'block-kv',
      'threshold',
      'mbsd',
      'mbsd-sts',
      'mbsd-sts-sls',
      'llada.cpp',
      'mbsd-drafts-masked',
      'mbsd-sts-drafts-masked',
      'mbsd-sts-sls-drafts-masked',
      'llada.cpp-drafts-masked',
      'sts',
      'exact-speculation',
      'exact-speculation-threshold',
      'fast-dllm-prefix',
      'fast-dllm-dual',
      'fast-dllm-factor',
      'dkv',
      'wino',
      'block-causal',
      'eb-sampler',
      'local-leap',
      'joint-threshold',
      'prophet',
      'klass',
      'bounded-rank',
      'multi-block',
      'multi-block-cached',
      'sdar',
      'rnd1',
      'llada-random',
      'llada-cfg',
      'llada-gumbel',
      'dream',
      'dream-maskgit',
      'dream-margin',
      'dream-origin',
      'llama.cpp-diffusion',
      'llama.cpp-diffusion-eps',
      'llama.cpp-diffusion-entropy',
      'llama.cpp-diffusion-margin',
      'llama.cpp-diffusion-random',
      'llama.cpp-diffusion-origin',
    ]);
  });

  it.each([
    ['an unknown key', { ...base, windw: 1 }, /unknown key "windw"/],
    [
      'an unknown nested key',
      { ...base, commit: { kind: 'staged', visble: 0.5 } },
      /unknown key "visble" in commit/,
    ],
    ['block length 0', { ...base, blockLength: 0 }, /blockLength/],
    ['an unknown rule', { ...base, commit: { kind: 'magic' } }, /commit/],
    ['no object', 7, /policy:/],
    [
      'stable below visible',
      { ...base, commit: { kind: 'staged', visible: 0.9, stable: 0.7 } },
      /stable .* below/,
    ],
    [
      'lookahead that would be drafted exactly',
      { ...base, window: { kind: 'block', lookahead: {} }, speculate: { kind: 'exact' } },
      /window.lookahead computes future rows for drafts/,
    ],
    [
      'exact speculation on stages',
      { ...base, commit: { kind: 'staged' }, speculate: { kind: 'exact' } },
      /commit not staged/,
    ],
    [
      'guided rows among drafted states',
      {
        ...base,
        ...{ window: { kind: 'canvas' }, cache: { kind: 'none' }, commit: { kind: 'quota' } },
        ...{ speculate: { kind: 'exact' }, guidance: 1 },
      },
      /guidance masks the prompt.* no exact speculation/,
    ],
    [
      'guided rows among shadows',
      {
        ...base,
        ...{ window: { kind: 'canvas' }, cache: { kind: 'none' }, commit: { kind: 'revocable' } },
        ...{ revoke: { kind: 'shadow' }, guidance: 1 },
      },
      /guidance masks the prompt.* no revoke/,
    ],
    ['revoking what is final', { ...base, revoke: { kind: 'shadow' } }, /belong together/],
    [
      'shadows of a cached window',
      { ...base, commit: { kind: 'revocable' }, revoke: { kind: 'shadow' } },
      /whole canvas/,
    ],
    [
      'a per-block cache without full passes',
      { ...base, cache: { kind: 'per-block' } },
      /filled by the full pass/,
    ],
    ['a per-block window on another cache', { ...base, window: { kind: 'per-block' } }, /must be per-block/],
    [
      'drafts in rows that are cached once they look decided',
      { ...base, window: { kind: 'canvas' }, cache: { kind: 'delayed' }, speculate: { kind: 'drafts' } },
      /cache delayed .* speculate none/,
    ],
    ['reuse outside the canvas', { ...base, cache: { kind: 'decided' } }, /cache decided reuses/],
    [
      'blocks from zero on a canvas',
      { ...base, blockOrigin: 'zero', window: { kind: 'canvas' }, cache: { kind: 'none' } },
      /blockOrigin zero/,
    ],
    ['more time steps than positions', { ...base, commit: { kind: 'timestep', steps: 33 } }, /commit.steps/],
    ['too many steps', { ...base, commit: { kind: 'quota', stepsPerBlock: 33 } }, /stepsPerBlock/],
    ['a cached canvas', { ...base, window: { kind: 'canvas' } }, /cache must be none/],
    ['a window without cache', { ...base, cache: { kind: 'none' } }, /cache must be prefix/],
    ['sliding sealed by pass', { ...base, cache: { kind: 'prefix', seal: 'pass' } }, /delayed or as-is/],
    ['a block sealed late', { ...base, window: { kind: 'block' } }, /needs window sliding/],
    ['a window below the block', { ...base, window: { kind: 'sliding', size: 8 } }, /below blockLength/],
    [
      'sliding past stable without stages',
      { ...base, window: { kind: 'sliding', past: 'stable' }, commit: { kind: 'quota' } },
      /needs commit staged/,
    ],
    [
      'drafts without future rows',
      {
        ...base,
        window: { kind: 'block' },
        cache: { kind: 'prefix', seal: 'pass' },
        speculate: { kind: 'drafts' },
      },
      /drafts needs rows beyond/,
    ],
    [
      'lookahead without drafts',
      { ...base, window: { kind: 'sliding', lookahead: {} } },
      /speculate must be drafts/,
    ],
    [
      'refresh without stages',
      { ...base, commit: { kind: 'quota' }, refresh: { kind: 'cpu' } },
      /commit must be staged/,
    ],
    [
      'more launches than places',
      { ...base, refresh: { kind: 'cpu', perStep: 5, maxInFlight: 2 } },
      /exceeds refresh.maxInFlight/,
    ],
    ['oldest by mask', { ...base, refresh: { kind: 'cpu', feed: 'mask' } }, /same position forever/],
    [
      'a sweep of final tokens',
      { ...base, commit: { kind: 'quota' }, final: { kind: 'sweep' } },
      /final sweep/,
    ],
  ])('refuse %s', (_name, spec, message) => {
    expect(() => parsePolicySpec(spec)).toThrow(UsageError);
    expect(() => parsePolicySpec(spec)).toThrow(message);
    expect(() => parsePolicySpec(spec)).not.toThrow(/\n/);
  });

  it('are refused in words that say where', () => {
    const said = (spec: unknown): string => {
      try {
        parsePolicySpec(spec);
        return 'not refused';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(said({ ...base, windw: 1 })).toBe('policy: unknown key "windw"');
    expect(said({ ...base, windw: 1, b: 2 })).toBe('policy: unknown key "windw", "b"');
    expect(said({ ...base, commit: { kind: 'staged', visble: 0.5 } })).toBe(
      'policy: unknown key "visble" in commit',
    );
    expect(said(7)).toMatch(/^policy: spec: /);
    expect(said({ ...base, blockLength: 0 })).toMatch(/^policy: blockLength: /);
    expect(said({ ...base, commit: { kind: 'staged', visible: 3, stable: -1 } })).toMatch(
      /^policy: commit\.visible: .*; commit\.stable: /,
    );
    expect(said({ ...base, commit: { kind: 'staged', visible: 0.9, stable: 0.7 } })).toMatch(
      /^policy test: commit\.stable/,
    );
  });

  it('name the nearest policy', () => {
    expect(() => policyByName('mbsd-st')).toThrow(/did you mean mbsd-sts/);
    expect(() => policyByName('mbsd-st')).toThrow(UsageError);
  });
});

describe('start', () => {
  const policy = composePolicy(base);

  it.each([
    [[], 32, /prompt is empty/],
    [[1], 33, /not a multiple of the block length 32/],
    [[1], 0, /nothing is to be generated/],
    [[1, 9], 32, /mask token/],
    [[1], -32, /^generation length must be a positive integer, got -32$/],
    [[1], 0.5, /^generation length must be a positive integer, got 0.5$/],
  ])('refuses prompt %j with length %i', (prompt, length, message) => {
    expect(() => policy.start(prompt, length, 9)).toThrow(message);
  });

  it('takes an answer of one position, and what is given of it up to its length', () => {
    const one = composePolicy({ ...base, blockLength: 1 });
    expect(one.start([1], 1, 9).positions).toHaveLength(2);
    expect(policy.start([1], 2, 9, { given: [3, 9] }).positions.map(({ token }) => token)).toEqual([1, 3, 9]);
    expect(() => policy.start([1], 2, 9, { given: [3, 9, 4] })).toThrow(
      /^3 tokens are given of an answer of 2$/,
    );
  });

  it('opens the window on the first block', () => {
    const canvas = policy.start([1, 2], 64, 9);
    expect(canvas.window).toEqual({ start: 2, end: 34 });
    expect(canvas.positions.map(({ state }) => state)).toEqual([
      ...Array.from({ length: 2 }, () => 'S'),
      ...Array.from({ length: 32 }, () => 'IV'),
      ...Array.from({ length: 32 }, () => 'M'),
    ]);
  });
});
