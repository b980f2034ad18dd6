import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskText } from '../../experiments/studies/recovery/masking.js';
import { DataError, UsageError } from '../../src/errors.js';
import type { Tokenizer } from '../../src/model/tokenizer.js';
import { tinyConfig } from '../support/tiny-model.js';

const MASK = 1;
const config = tinyConfig({ vocab: 40, maskId: MASK, bosId: 2, endIds: [3] });
/** A letter is a token, the first with id 10. */
const letters = {
  encode: (text: string) => [...text].map((one) => 10 + one.charCodeAt(0) - 97),
  decode: (ids: readonly number[]) => ids.map((id) => String.fromCharCode(id + 87)).join(''),
} as Pick<Tokenizer, 'encode' | 'decode'> as Tokenizer;

const texts = fc.string({ unit: fc.constantFrom(...'abcdefghij'), minLength: 1, maxLength: 40 });
const draws = fc.record({ share: fc.constantFrom(0.15, 0.3, 0.5, 0.7, 1), draw: fc.nat(9), seed: fc.nat(9) });

describe('masked texts', () => {
  it('have the share of their tokens masked, and the rest as it was', () => {
    fc.assert(
      fc.property(texts, draws, (text, draw) => {
        const { promptIds, given, truth, masked } = maskText(config, letters, text, draw);
        expect(promptIds).toEqual([2]);
        expect(truth).toEqual([...letters.encode(text), 3]);
        expect(masked.length).toBe(Math.max(1, Math.round(draw.share * text.length)));
        expect(given).toEqual(truth.map((id, at) => (masked.includes(at) ? MASK : id)));
        expect(maskText(config, letters, text, draw)).toEqual({ promptIds, given, truth, masked });
      }),
    );
  });

  it('need a model with mask, start and end, and a vocabulary that holds them', () => {
    const draw = { share: 0.5, draw: 0, seed: 0 };
    expect(() => maskText({ ...config, bosId: null }, letters, 'abc', draw)).toThrow(UsageError);
    const lossy = { ...letters, decode: () => 'other' } as Tokenizer;
    expect(() => maskText(config, lossy, 'abc', draw)).toThrow(DataError);
  });
});
