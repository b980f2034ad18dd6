import { describe, expect, it } from 'vitest';
import { followModel } from '../../src/decode/method/fits.js';
import { checkFit, namesThatFit, POLICY_NAMES, policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { tinyConfig } from '../support/tiny-model.js';

const model = tinyConfig({ name: 'both', attention: 'block-causal', blockLength: 8, alsoCausal: true });
const named = (name: string) => parsePolicySpec(policySpecByName(name));
const NOTHING = { blockLength: null, options: {} };

describe('followModel', () => {
  it('takes the blocks of a model where nobody asks for others', () => {
    const spec = named('block-causal');
    expect(followModel(spec, model, NOTHING).blockLength).toBe(8);
    expect(followModel({ ...spec, blockLength: 4 }, model, { blockLength: 4, options: {} }).blockLength).toBe(
      4,
    );
    expect(followModel(spec, model, { blockLength: null, options: { blockLength: 32 } }).blockLength).toBe(
      32,
    );
  });

  it('keeps what is asked of a policy, and takes the rest from the model', () => {
    const spec = named('nemotron-self-speculation');
    const asked = (options: Record<string, unknown>) =>
      followModel(spec, model, { blockLength: null, options }).window;
    expect(asked({ 'commit.tau': 1, windows: 2 })).toMatchObject({ widest: 8 });
    expect(asked({ 'commit.tau': 1, 'window.narrowest': 4 })).toMatchObject({ widest: 32 });
    expect(asked({ window: {} })).toMatchObject({ widest: 32 });
    const blocks = { ...named('block-causal'), blockLength: 4 };
    const of = (blockLength: number | null, options: Record<string, unknown>) =>
      followModel(blocks, model, { blockLength, options }).blockLength;
    expect([of(4, {}), of(null, { blockLength: 4 }), of(null, { stop: 'block' })]).toEqual([4, 4, 8]);
  });

  it('drafts no wider than blocks, unless asked to, which is refused', () => {
    const spec = named('nemotron-self-speculation');
    expect(followModel(spec, model, NOTHING).window).toMatchObject({ narrowest: 8, widest: 8 });
    const asked = followModel(spec, model, { blockLength: null, options: { 'window.widest': 32 } });
    expect(asked.window).toMatchObject({ widest: 32 });
    expect(() => checkFit(asked, model)).toThrow(
      /drafts of up to 32 rows that see each other: take --option window.narrowest=8 --option window.widest=8$/,
    );
  });
});

describe('namesThatFit', () => {
  it('is all diffusion policies for a model that sees both ways, and those of its kind for any other', () => {
    expect(namesThatFit(tinyConfig())).toEqual(POLICY_NAMES);
    expect(namesThatFit(model)).toEqual([
      'block-causal',
      'bounded-rank',
      'sdar',
      'autoregressive',
      'nemotron-self-speculation',
    ]);
    expect(namesThatFit(tinyConfig({ attention: 'causal', shiftLogits: true, maskId: null }))).toEqual([
      'autoregressive',
    ]);
  });
});
