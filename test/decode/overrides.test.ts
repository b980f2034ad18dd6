import { describe, expect, it } from 'vitest';
import { overrideSpec } from '../../src/decode/overrides.js';
import { policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec, policyJsonSchema } from '../../src/decode/spec.js';

const full = policySpecByName('llada.cpp');

describe('overrideSpec', () => {
  it('changes single options and says so in the name', () => {
    const spec = overrideSpec(full, {
      'commit.visible': 0.5,
      'window.lookahead.trigger': 2,
      blockLength: 16,
    });
    expect(spec).toMatchObject({
      name: 'llada.cpp commit.visible=0.5 window.lookahead.trigger=2 blockLength=16',
      blockLength: 16,
      commit: { kind: 'staged', visible: 0.5, stable: 0.9 },
      window: { lookahead: { trigger: 2, maxRows: 32 } },
    });
    expect(parsePolicySpec(full).commit).toMatchObject({ visible: 0.7 });
  });

  it('starts a rule anew when its kind changes, whatever the order of the changes', () => {
    const spec = overrideSpec(policySpecByName('mbsd-sts'), {
      'commit.tau': 0.8,
      'commit.kind': 'threshold',
    });
    expect(spec.commit).toEqual({ kind: 'threshold', tau: 0.8, compare: 'at-least' });
  });

  it('sets lookahead as a whole', () => {
    const { window } = overrideSpec(full, { 'window.lookahead': { maxRows: 2 } });
    expect(window).toMatchObject({ lookahead: { maxRows: 2, trigger: 4 } });
  });

  it('switches lookahead off', () => {
    const { window } = overrideSpec(full, { 'window.lookahead': null });
    expect(window).toEqual({ kind: 'sliding', size: null, past: 'visible' });
  });

  it('sets null where an option may be null, and starts what was off with its defaults', () => {
    const dream = overrideSpec(policySpecByName('dream'), { 'sampling.topP': null });
    expect(dream.sampling).toMatchObject({ kind: 'filtered', topP: null });
    expect(dream.name).toBe('dream sampling.topP=null');
    const ahead = overrideSpec(policySpecByName('mbsd'), { 'window.lookahead': null });
    expect(overrideSpec(ahead, { 'window.lookahead.maxRows': 3 }).window).toMatchObject({
      lookahead: { maxRows: 3, trigger: 4 },
    });
    expect(() => overrideSpec(full, { 'commit.visible.x': 1 })).toThrow(/visible has no options below it/);
  });

  it('keeps the options of a rule whose kind is named again', () => {
    const spec = overrideSpec(full, { 'commit.kind': 'staged', 'commit.stable': 0.95 });
    expect(spec.commit).toEqual({ kind: 'staged', visible: 0.7, stable: 0.95 });
    const other = overrideSpec(
      { ...full, commit: { kind: 'staged', visible: 0.5 } },
      { 'commit.kind': 'staged' },
    );
    expect(other.commit).toMatchObject({ visible: 0.5 });
  });

  it.each([
    [{ 'commit.visble': 0.5 }, /unknown key "visble" in commit/],
    [{ 'commit.visible': 0.95 }, /stable \(0.9\) is below/],
    [{ 'blockLength.x': 1 }, /blockLength has no options below it/],
    [{ speed: 9 }, /unknown key "speed"/],
  ])('refuses %j', (changes, message) => {
    expect(() => overrideSpec(full, changes)).toThrow(message);
  });

  it('keeps a name that is given', () => {
    expect(overrideSpec(full, { name: 'mine', 'commit.visible': 0.5 }).name).toBe('mine');
  });
});

describe('the schema', () => {
  it('gives a reason for every option that has a default', () => {
    const bare: string[] = [];
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return;
      if ('default' in node && !('description' in node) && !('type' in node && node.type === 'object'))
        bare.push(path);
      for (const [key, value] of Object.entries(node)) if (key !== 'default') visit(value, `${path}.${key}`);
    };
    visit(policyJsonSchema(), '');
    const plain = ['description', 'source', 'speculate', 'revise', 'refresh'];
    expect(bare.filter((path) => !plain.some((name) => path.endsWith(`.${name}`)))).toEqual([]);
  });
});
