import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PROMPT_FORMATS, promptIds } from '../../src/model/chat.js';
import { tokenizerFromGguf } from '../../src/model/formats/gguf-tokenizer-read.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { NO_TEXT } from '../../src/model/model-text.js';
import { createTokenizer, type Tokenizer } from '../../src/model/tokenizer.js';

/** The printable stand-ins of GPT-2 for the 256 bytes. */
function byteTokens(): string[] {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCodePoint(printable(b) ? b : next++));
}

const SPECIAL = [
  '<|startoftext|>',
  '<|start_header_id|>',
  '<|end_header_id|>',
  '<|eot_id|>',
  '<|im_start|>',
  '<|im_end|>',
  '<role>',
  '</role>',
  '<|role_end|>',
  '<|begin_of_text|>',
];

function metadata(pre: string | null, change: Record<string, GgufValue> = {}) {
  const tokens = [...byteTokens(), 'he', 'll', 'hell', 'Ġhe', '12', ...SPECIAL];
  const token_type = tokens.map((token) => (SPECIAL.includes(token) ? 3 : 1));
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ...(pre === null ? [] : [['tokenizer.ggml.pre', { type: 'string', value: pre }] as [string, GgufValue]]),
    ['tokenizer.ggml.tokens', { type: 'array', element: 'string', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'array', element: 'i32', value: token_type }],
    [
      'tokenizer.ggml.merges',
      { type: 'array', element: 'string', value: ['h e', 'l l', 'he ll', 'Ġ he', '1 2'] },
    ],
    ...Object.entries(change),
  ]);
}

function open(pre: string | null): Tokenizer {
  const json = tokenizerFromGguf(metadata(pre), 'llada', 'm.gguf');
  if (json === null) throw new Error('no tokenizer');
  return createTokenizer(json, 'm.gguf');
}

describe('a tokenizer inside a GGUF file', () => {
  it.each([null, 'default', 'gpt-2', 'llama-bpe', 'qwen2', 'llada-moe', 'bailingmoe'])(
    'round-trips any UTF-8 (pre-tokenizer %s)',
    (pre) => {
      const tokenizer = open(pre);
      fc.assert(
        fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
          expect(tokenizer.decode(tokenizer.encode(text), { skipSpecial: false })).toBe(text);
        }),
        { numRuns: 300 },
      );
    },
  );

  it('merges as trained and cuts digits as the family does', () => {
    const tokens = (pre: string, text: string) =>
      open(pre)
        .encode(text)
        .map((id) => open(pre).token(id));
    expect(tokens('qwen2', 'hello he')).toEqual(['hell', 'o', 'Ġhe']);
    expect(tokens('qwen2', '12')).toEqual(['1', '2']);
    expect(tokens('llama-bpe', '12')).toEqual(['12']);
  });

  it('keeps special tokens whole and out of the text', () => {
    const tokenizer = open('qwen2');
    const ids = tokenizer.encode('he<|eot_id|>');
    expect(ids).toHaveLength(2);
    expect(tokenizer.decode(ids)).toBe('he');
  });

  it.each([
    ['llada', '<|startoftext|>', '<|end_header_id|>\n\n'],
    ['dream', '<|im_start|>', 'assistant\n'],
    ['llada-moe', '<role>', '</role>'],
    ['llama', '<|begin_of_text|>', '<|end_header_id|>\n\n'],
  ] as const)('frames a question as %s was trained', (arch, first, last) => {
    const tokenizer = open('qwen2');
    const ids = promptIds({ tokenizer, arch, text: NO_TEXT }, 'chat', 'hell?');
    expect(tokenizer.token(ids[0])).toBe(first);
    const text = tokenizer.decode(ids, { skipSpecial: false });
    expect(text).toContain('hell?');
    expect(text.endsWith(last)).toBe(true);
    expect(promptIds({ tokenizer, arch, text: NO_TEXT }, 'none', 'hell?')).toEqual(tokenizer.encode('hell?'));
    expect(PROMPT_FORMATS).toContain('plain');
  });

  it('is absent when the file says so, and refused by name when it is of another kind', () => {
    const string = (value: string): GgufValue => ({ type: 'string', value });
    const read = (change: Record<string, GgufValue>) =>
      tokenizerFromGguf(metadata('qwen2', change), 'llada', 'm.gguf');
    expect(read({ 'tokenizer.ggml.model': string('none') })).toBeNull();
    expect(tokenizerFromGguf(new Map(), 'llada', 'm.gguf')).toBeNull();
    expect(() => read({ 'tokenizer.ggml.model': string('bert') })).toThrow(
      /m.gguf: tokenizer.ggml.model "bert" is not supported/,
    );
    expect(() => read({ 'tokenizer.ggml.pre': string('klingon') })).toThrow(/tokenizer.ggml.pre "klingon"/);
    expect(() => read({ 'tokenizer.ggml.tokens': string('abc') })).toThrow(/m.gguf: tokenizer.ggml.tokens/);
  });
});
