import { describe, expect, it } from 'vitest';
import { ownMemory } from '../../../sim/memory/own-mode.js';
import { stackByName, stackNames } from '../../../sim/stacks/registry.js';

describe('the memory mode of a stack', () => {
  it('is known for every shipped stack: SOMR is of llada.cpp alone', () => {
    for (const name of stackNames()) {
      const mode = ownMemory(stackByName(name));
      expect(mode === 'somr', name).toBe(name.startsWith('llada.cpp'));
      expect(mode === 'on-demand', name).toBe(name === 'llama.cpp-hexagon');
    }
    expect(ownMemory(stackByName('llama.cpp-hexagon@2026-05'))).toBe('on-demand');
  });

  it("of the user's own is that of the backend whose sessions it has", () => {
    expect(ownMemory({ name: 'mine', sessions: 'hexagon-devices' })).toBe('on-demand');
    expect(ownMemory({ name: 'mine', sessions: 'one' })).toBe('somr');
  });
});
