import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { maskedQuestions, readTexts } from '../../../experiments/lab/deciders/masked-questions.js';
import { maskText } from '../../../experiments/lab/deciders/masking.js';
import { DataError, UsageError } from '../../../src/errors.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { tinyConfig } from '../../support/tiny-model.js';

const [START, END, MASK] = [1, 2, 3];

/** A letter is a token; decoding begins with a space, as some vocabularies do. */
const letters = (known = /[a-z ]/): Tokenizer => {
  const ofCode = (id: number): string => String.fromCharCode(id);
  return {
    size: 256,
    encode: (text: string) => [...text].filter((each) => known.test(each)).map((each) => each.charCodeAt(0)),
    decode: (ids: readonly number[]) => ` ${ids.map(ofCode).join('')}`,
  } as unknown as Tokenizer;
};
const config = (changes = {}) => ({
  ...tinyConfig(),
  maskId: MASK,
  bosId: START,
  endIds: [END],
  ...changes,
});
const HALF = { share: 0.5, draw: 0, seed: 7 };

describe('a masked text', () => {
  it('lies between its start and its end, with its share of masks', () => {
    const { promptIds, given, truth, masked } = maskText(config(), letters(), 'abcd', HALF);
    expect(promptIds).toEqual([START]);
    expect(truth).toEqual([97, 98, 99, 100, END]);
    expect(masked).toHaveLength(2);
    expect(given).toEqual(truth.map((id, at) => (masked.includes(at) ? MASK : id)));
    // The end is never masked, and something always is.
    expect(maskText(config(), letters(), 'abcd', { ...HALF, share: 1 }).masked).toEqual([0, 1, 2, 3]);
    expect(maskText(config(), letters(), 'abcd', { ...HALF, share: 0.01 }).masked).toHaveLength(1);
  });

  it('needs a mask, a start and one end, and says what is missing', () => {
    const mask = (changes: object) => () => maskText(config(changes), letters(), 'abcd', HALF);
    expect(mask({ endIds: [END, 4] })).toThrow(/has 2 end tokens/);
    for (const missing of [{ maskId: null }, { bosId: null }]) {
      expect(mask(missing)).toThrow(/no mask, start or end token/);
      expect(mask({ ...missing, endIds: [END, 4] })).toThrow(/no mask, start or end token/);
    }
    expect(mask({ endIds: [] })).toThrow(UsageError);
  });

  it('has to come back from the vocabulary as it went in, but for blanks around it', () => {
    expect(() => maskText(config(), letters(), ' abcd', HALF)).not.toThrow();
    expect(() => maskText(config(), letters(/[a-c]/), 'abcd', HALF)).toThrow(DataError);
  });
});

describe('masked questions', () => {
  const path = join(temporaryDirectory(), 'texts.txt');

  it('are the lines of a file that hold something, each masked several times', () => {
    writeFileSync(path, 'abcd\n\n  efgh \n');
    expect(readTexts(path)).toEqual(['abcd', 'efgh']);
    const asked = maskedQuestions(
      path,
      { config: config(), tokenizer: letters() },
      { share: 0.5, draws: 3, seed: 7 },
    );
    expect(asked).toHaveLength(6);
    writeFileSync(path, '\n \n');
    expect(() => readTexts(path)).toThrow(/no texts/);
  });

  it('are right when every mask is', () => {
    writeFileSync(path, 'abcd\n');
    const [question] = maskedQuestions(
      path,
      { config: config(), tokenizer: letters() },
      { share: 0.5, draws: 1, seed: 7 },
    );
    const truth = [97, 98, 99, 100, END];
    expect(question.judge(truth).exact).toBe(true);
    const first = question.given?.indexOf(MASK) ?? -1;
    const { exact, tasks } = question.judge(truth.map((id, at) => (at === first ? 122 : id)));
    expect(exact).toBe(false);
    expect(tasks.map(({ correct }) => correct)).toEqual([false, true]);
  });
});
