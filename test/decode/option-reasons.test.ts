import { describe, expect, it } from 'vitest';
import { optionReasons } from '../../src/decode/option-reasons.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { type PolicySpecInput, parsePolicySpec } from '../../src/decode/spec.js';

const reasonsOf = (name: string, change: Partial<PolicySpecInput> = {}) =>
  optionReasons(parsePolicySpec({ ...policySpecByName(name), ...change }));
const paths = (...args: Parameters<typeof reasonsOf>): string[] => reasonsOf(...args).map(({ path }) => path);

describe('the reasons of options', () => {
  it('are those of the options that a policy has, in the order of the schema', () => {
    expect(paths('llada')).toEqual([
      ...['blockLength', 'blockOrigin', 'confidence', 'sampling'],
      ...[
        'endOfText',
        'endOfText.logit',
        'endOfText.confidence',
        'endOfText.turnId',
        'confidenceType',
        'guidance',
      ],
      ...['window.extent', 'commit.stepsPerBlock', 'commit.transfer', 'commit.seed'],
      ...['revise.falling', 'revise.feed', 'revise.rename', 'revoke', 'logits', 'final', 'stop'],
    ]);
  });

  it('are of the rule that it names, and of no other of its kind', () => {
    const own = (name: string, part: string, change: Partial<PolicySpecInput> = {}) =>
      paths(name, change).filter((path) => path.startsWith(`${part}.`));
    expect(own('threshold', 'commit')).toEqual(['commit.tau', 'commit.compare']);
    expect(own('sts', 'commit')).toEqual(['commit.visible', 'commit.stable']);
    expect(own('dkv', 'cache')).toEqual(['cache.refreshEvery']);
    expect(own('llada', 'cache')).toEqual([]);
    expect(own('mbsd', 'window')).toEqual([
      ...['size', 'past'].map((option) => `window.${option}`),
      ...['trigger', 'inclusive', 'allowanceRatio', 'maxRows', 'memoryBudgetMib', 'buckets'].map(
        (option) => `window.lookahead.${option}`,
      ),
    ]);
    const without = { window: { kind: 'sliding' }, speculate: { kind: 'none' } } as const;
    expect(own('mbsd', 'window', without)).toEqual(['window.size', 'window.past']);
  });

  it('say why', () => {
    const found = Object.fromEntries(reasonsOf('threshold').map(({ path, reason }) => [path, reason]));
    expect(found['commit.tau']).toBe('operating point of Fast-dLLM');
    expect(found.blockLength).toBe('§5.1');
  });

  it('are none of what is not there, nor of a rule that is none', () => {
    expect(optionReasons({})).toEqual([]);
    expect(
      optionReasons({ commit: { kind: 'magic', tau: 1 }, window: null, blockLength: 4 }).map(
        ({ path }) => path,
      ),
    ).toEqual(['blockLength']);
  });
});
