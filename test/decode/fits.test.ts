import { describe, expect, it } from 'vitest';
import { attentionOf, inBlocksOf, misfit } from '../../src/decode/method/fits.js';
import { factsOf } from '../../src/decode/parts.js';
import { ALL_POLICY_SPECS, checkFit, policySpecByName, usualPolicy } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { FAMILIES } from '../../src/model/families/index.js';
import { resolvePreset } from '../../src/model/presets.js';
import { tinyConfig } from '../support/tiny-model.js';

const named = (name: string) => parsePolicySpec(policySpecByName(name));
const blocks = tinyConfig({ name: 'in-blocks', attention: 'block-causal', blockLength: 4 });
const left = tinyConfig({ name: 'left', attention: 'causal', maskId: null });

describe('a policy fits a model when its rows see what the model was trained to see', () => {
  it('knows what a policy shows', () => {
    expect(attentionOf(named('llada.cpp'))).toEqual(['bidirectional']);
    expect(attentionOf(named('block-causal'))).toEqual(['block-causal']);
    expect(attentionOf(named('autoregressive'))).toEqual(['causal']);
    // Rows of the next block beside those of the current one, which would see them.
    const ahead = { ...named('block-causal'), window: { kind: 'block', extent: 'suffix' } as const };
    expect(attentionOf(ahead)).toEqual(['bidirectional']);
  });

  it('shows what is right of a block where rows of the next ride along, or what is done is scored again', () => {
    const changed = (change: object) => attentionOf({ ...named('block-causal'), ...change });
    const staged = { commit: { kind: 'staged', visible: 0.7, stable: 0.9 } };
    expect(changed(staged)).toEqual(['block-causal']);
    for (const change of [
      { window: { kind: 'block', extent: 'block', lookahead: {} }, speculate: { kind: 'drafts' } },
      { ...staged, refresh: { kind: 'cpu' } },
      { ...staged, final: { kind: 'sweep', passes: 1 } },
      { blockOrigin: 'prompt' },
      { cache: { kind: 'prefix', seal: 'pass', prompt: 'bidirectional' } },
    ])
      expect(changed(change), JSON.stringify(change)).toEqual(['bidirectional']);
  });

  it('refuses the others with the reason and the policies that fit', () => {
    expect(() => checkFit(named('llada.cpp'), blocks)).toThrow(
      /in-blocks sees blocks of 4 and what is left of them, and policy llada.cpp shows rows what is right of their block: take --policy .*block-causal/,
    );
    expect(() => checkFit(named('block-causal'), blocks)).toThrow(
      /blocks of 4 .* has blocks of 32: take --block-length 4$/,
    );
    expect(() => checkFit(named('autoregressive'), blocks)).toThrow(/shows rows only what is left of them/);
    expect(() => checkFit(named('llada'), left)).toThrow(/no mask token.*take --policy autoregressive/);
    expect(() => checkFit(named('autoregressive'), tinyConfig({}))).toThrow(/sees both ways.*llada/);
    expect(misfit(inBlocksOf(named('block-causal'), blocks), blocks)).toBeNull();
  });

  it('lets a model that sees both ways be shown less', () => {
    for (const { name } of ALL_POLICY_SPECS) {
      const fits = misfit(named(name), tinyConfig({})) === null;
      // What is read in the row before needs a model that says it there.
      const shifted = factsOf(named(name)).cache.opens === 'predicted';
      expect(fits, name).toBe(!attentionOf(named(name)).includes('causal') && !shifted);
    }
  });

  it('has a usual policy for every family, which fits its published model', () => {
    for (const { name, published, policy } of FAMILIES) {
      // Which token is the mask of a WeDLM stands in its checkpoint.
      const preset = resolvePreset(published);
      const model = name === 'wedlm' ? { ...preset, maskId: 0 } : preset;
      expect(misfit(usualPolicy(model), model), name).toBeNull();
      expect(usualPolicy(model).name, name).toBe(policy);
    }
    const shifted = resolvePreset('fast-dllm-v2-7b');
    expect(() => checkFit(named('block-causal'), shifted)).toThrow(
      /the first of a block is in the block before.*take --policy .*fast-dllm-v2/,
    );
    expect(() => checkFit(named('fast-dllm-v2'), resolvePreset('llada2-mini'))).toThrow(
      /says a token in its own row/,
    );
    expect(usualPolicy(left).name).toBe('autoregressive');
    // A Llama file that says is_causal false.
    expect(usualPolicy(tinyConfig({ arch: 'llama' })).name).toBe('llada.cpp');
    expect(usualPolicy(blocks)).toMatchObject({ name: 'block-causal', blockLength: 4 });
  });
});
