import { describe, expect, it } from 'vitest';
import { integer, integerList, number } from '../../cli/numbers.js';

describe('integer lists', () => {
  it.each([
    ['32', [32]],
    ['32,64, 128', [32, 64, 128]],
    ['1-4', [1, 2, 3, 4]],
    ['0-10+4', [0, 4, 8]],
    ['1-40*2', [1, 2, 4, 8, 16, 32]],
    ['5,8-9', [5, 8, 9]],
  ])('%s', (text, values) => {
    expect(integerList(0)(text)).toEqual(values);
  });

  it.each(['', ',', 'a', '3-1', '1-5*1', '0-8*2', '1-5+0', '1.5', '1--2', '1-99999999'])(
    'refuses "%s"',
    (text) => {
      expect(() => integerList(0)(text)).toThrow();
    },
  );

  it('holds every value to the minimum', () => {
    expect(() => integerList(1)('4,0')).toThrow('at least 1');
  });
});

describe('numbers', () => {
  it('are whole and in range', () => {
    expect(integer(0, 9)('7')).toBe(7);
    for (const text of ['-1', '10', '7.0', '1e1', '', ' ', '0x1', '9007199254740993']) {
      expect(() => integer(0, 9)(text)).toThrow('from 0 to 9');
    }
    expect(number(0.1, 10)('0.5')).toBe(0.5);
    for (const text of ['', 'NaN', '0', '11', 'Infinity']) expect(() => number(0.1, 10)(text)).toThrow();
  });
});
