import { Tokenizer } from '@huggingface/tokenizers';
import { describe, expect, it } from 'vitest';
import { generateProblem } from '../../src/score/problems.js';
import { buildTokenizerJson, byteCharacters, WordTable } from '../../src/score/tokenizer-json.js';
import { allWords, MASK_ID, SPECIAL_TOKENS } from '../../src/score/vocabulary.js';

const json = buildTokenizerJson();
const table = new WordTable(json);
const tokenizer = new Tokenizer(json, {});

describe('buildTokenizerJson', () => {
  it('numbers its tokens without gaps and stays small', () => {
    const ids = Object.values(json.model.vocab).sort((a, b) => a - b);
    expect(ids).toEqual(ids.map((_, i) => i));
    expect(ids.length).toBeLessThanOrEqual(640);
    expect(SPECIAL_TOKENS.map((token) => json.model.vocab[token])).toEqual(SPECIAL_TOKENS.map((_, i) => i));
    for (const byte of byteCharacters()) expect(json.model.vocab).toHaveProperty([byte]);
  });

  it('makes every task word one token, as a Hugging Face tokenizer reads it', () => {
    for (const word of allWords()) expect(tokenizer.encode(word).ids).toEqual(table.encode(word));
    for (let i = 0; i < 20; i++) {
      const { prompt, response } = generateProblem(1, i);
      expect(tokenizer.encode(prompt).ids).toEqual(table.encode(prompt));
      expect(tokenizer.encode(response).ids).toEqual(table.encode(response));
      expect(table.decode(table.encode(response))).toBe(response);
    }
  });

  it('round-trips text it has no words for', () => {
    for (const text of ['hello, wörld 42!', '日本語 🙂', 'tab\tand\nnewline', 'catalogue of ants']) {
      expect(tokenizer.decode(tokenizer.encode(text).ids).trim()).toBe(text.trim());
    }
  });

  it('never makes the mask token from task words', () => {
    expect(table.wordIds()).not.toContain(MASK_ID);
    expect(() => table.encode('<|mdm_mask|>')).toThrow(/not a task word/);
  });
});
