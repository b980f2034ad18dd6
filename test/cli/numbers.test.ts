import { describe, expect, it } from 'vitest';
import { integerText, numberText, range } from '../../cli/numbers.js';

const ANY = { min: 0, max: Number.MAX_SAFE_INTEGER };

describe('ranges of integers', () => {
  it.each([
    ['32', [32]],
    ['1-4', [1, 2, 3, 4]],
    ['0-10+4', [0, 4, 8]],
    ['1-40*2', [1, 2, 4, 8, 16, 32]],
  ])('%s', (text, values) => {
    expect(range(text, ANY)).toEqual(values);
  });

  it.each(['', 'a', '3-1', '1-5*1', '0-8*2', '1-5+0', '1.5', '1--2', '1-99999999'])(
    'refuses "%s"',
    (text) => {
      expect(() => range(text, ANY)).toThrow();
    },
  );

  it('hold every value to the bounds', () => {
    expect(() => range('0', { min: 1, max: 9 })).toThrow('from 1 to 9');
    expect(() => range('1-10', { min: 1, max: 9 })).toThrow('from 1 to 9');
  });
});

describe('numbers', () => {
  it('are whole and in range', () => {
    expect(integerText('7', { min: 0, max: 9 })).toBe(7);
    for (const text of ['-1', '10', '7.0', '1e1', '', ' ', '0x1', '9007199254740993']) {
      expect(() => integerText(text, { min: 0, max: 9 })).toThrow('from 0 to 9');
    }
    expect(numberText('0.5', { min: 0.1, max: 10 })).toBe(0.5);
    for (const text of ['', 'NaN', '0', '11', 'Infinity']) {
      expect(() => numberText(text, { min: 0.1, max: 10 })).toThrow();
    }
  });
});
