import { describe, expect, it } from 'vitest';
import { type GenerationChoice, generationSpec } from '../../experiments/library/generation-spec.js';
import { resolveModelConfig } from '../../src/model/load.js';

const config = await resolveModelConfig('tiny-llada');
const specOf = (asked: Partial<GenerationChoice>) =>
  generationSpec(config, { options: {}, blockLength: null, genLength: 128, ...asked });

describe('steps, temperature and seed of generate', () => {
  it('set the schedule of Dream as well as that of LLaDA', () => {
    expect(specOf({ policy: 'dream', steps: 64 }).commit).toMatchObject({ steps: 64 });
    expect(specOf({ policy: 'llada', steps: 64 }).commit).toMatchObject({ stepsPerBlock: 16 });
    expect(() => specOf({ policy: 'llada.cpp', steps: 64 })).toThrow(/as many steps as its confidences/);
    expect(() => specOf({ policy: 'dream', steps: 129 })).toThrow(/multiple of the 1 blocks/);
  });

  it('set the temperature where the policy samples, and make a greedy one sample', () => {
    expect(specOf({ policy: 'dream', temperature: 0.7 }).sampling).toMatchObject({
      kind: 'filtered',
      temperature: 0.7,
      topP: 0.95,
    });
    expect(specOf({ policy: 'llada.cpp', temperature: 0.7 }).sampling).toMatchObject({
      kind: 'gumbel',
      temperature: 0.7,
    });
    expect(specOf({ policy: 'llada.cpp', temperature: 0 })).toEqual(specOf({ policy: 'llada.cpp' }));
  });

  it('seed everything that is drawn, and nothing else', () => {
    expect(specOf({ policy: 'dream-origin', drawSeed: 5 })).toMatchObject({
      sampling: { seed: 5 },
      commit: { seed: 5 },
    });
    expect(specOf({ policy: 'llada-random', drawSeed: 5 }).sampling).toEqual({
      kind: 'gumbel',
      temperature: 0,
      seed: 5,
    });
    expect(() => specOf({ policy: 'llada', drawSeed: 5 })).toThrow(/--seed has no effect/);
  });
});
