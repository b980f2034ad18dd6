import { describe, expect, it } from 'vitest';
import { nearest, unknownName } from '../../src/util/nearest.js';

const known = ['llada', 'block-kv', 'threshold', 'mbsd', 'mbsd-sts', 'llada.cpp'];

describe('nearest', () => {
  it('finds typos, other case and parts of names, best first', () => {
    expect(nearest('treshold', known)).toEqual(['threshold']);
    expect(nearest('LLADA', known)[0]).toBe('llada');
    expect(nearest('sts', known)).toContain('mbsd-sts');
    expect(nearest('mbsd-st', known)[0]).toBe('mbsd-sts');
  });

  it('offers at most three names, and none for something else', () => {
    expect(nearest('b', ['ab', 'cb', 'db', 'eb'])).toHaveLength(3);
    expect(nearest('quantum', known)).toEqual([]);
  });

  it('makes one line a user can act on', () => {
    expect(unknownName('policy', 'lada', known).message).toMatch(
      /^unknown policy "lada": did you mean llada/,
    );
    expect(unknownName('policy', 'quantum', known).message).toBe(
      `unknown policy "quantum": known: ${known.join(', ')}`,
    );
    expect(unknownName('policy', 'x', known).exitCode).toBe(2);
  });
});
