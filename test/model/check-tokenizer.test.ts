import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/errors.js';
import { promptIds } from '../../src/model/chat.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { loadModel } from '../../src/model/load.js';
import { createTokenizer, parseTokenizerJson } from '../../src/model/tokenizer.js';
import { buildTokenizerJson } from '../../src/score/tokenizer-json.js';
import { writeFolder } from '../support/folder.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const whole = buildTokenizerJson();
const [added] = whole.added_tokens;
const changed = (model: object, tokens: readonly object[] = []) =>
  ({
    ...whole,
    model: { ...whole.model, ...model },
    added_tokens: [...whole.added_tokens, ...tokens],
  }) as typeof whole;

describe('a tokenizer that would be read without a word, and wrongly', () => {
  it.each([
    ['merge without product', changed({ merges: [['Ġ', '!']] }), /merge 0 \(Ġ !\) needs the token Ġ!/],
    ['merge of unknown parts', changed({ merges: ['Ġ zzz'] }), /needs the token zzz/],
    ['merge of three', changed({ merges: ['a b c'] }), /has 3 parts/],
    ['merge of one', changed({ merges: ['ab'] }), /has 1 parts/],
    ['dropout', changed({ dropout: 0.1 }), /dropout 0.1: the same text has other ids/],
    ['suffixes', changed({ end_of_word_suffix: '</w>' }), /end_of_word_suffix "<\/w>" is not supported/],
    ['prefixes', changed({ continuing_subword_prefix: '##' }), /continuing_subword_prefix "##"/],
    ['an id twice', changed({ vocab: { ...whole.model.vocab, again: 9 } }), /id 9 is both .* and again/],
    [
      'an added token over another',
      changed({}, [{ ...added, id: 9, content: '<x>' }]),
      /id 9 is both .* and <x>/,
    ],
    ['a word', changed({}, [{ ...added, id: 900, content: '<x>', single_word: true }]), /<x>: single_word/],
    [
      'a token added again',
      changed({}, [{ ...added, id: 900, content: 'Ġowl' }]),
      /Ġowl has the ids \d+ and 900/,
    ],
    ['an added token twice', changed({}, [{ ...added, id: 900 }]), /<\|startoftext\|> has the ids 0 and 900/],
  ])('%s: is refused', (_, json, message) => {
    expect(() => createTokenizer(json, 'test')).toThrow(message);
  });
});

const config = tinyConfig({ arch: 'llada', vocab: 300, layers: 1 });

describe('a tokenizer beside its model', () => {
  it('gives no ids past the embedding', async () => {
    const small = { ...config, vocab: Object.keys(whole.model.vocab).length };
    const folder = await writeFolder(small, randomWeights(small));
    const past = changed({}, [{ ...added, id: small.vocab, content: '<x>' }]);
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(past));
    const { tokenizer, text, weights } = await loadModel(folder);
    const side = { tokenizer: tokenizer!, arch: small.arch, text };
    expect(promptIds(side, 'none', 'owl')).toHaveLength(1);
    expect(() => promptIds(side, 'none', 'owl <x>')).toThrow(/the text holds <x>, whose id \d+ is past/);
    await weights.close();
  });

  const tokens = Array.from({ length: 300 }, (_, id) => `t${id}`);
  const strings = (value: string[]): GgufValue => ({ type: 'array', element: 'string', value });
  const keys = (change: Readonly<Record<string, GgufValue>>) =>
    new Map<string, GgufValue>(
      Object.entries({
        model: { type: 'string', value: 'gpt2' } as const,
        pre: { type: 'string', value: 'gpt-2' } as const,
        tokens: strings(tokens),
        merges: strings([]),
        ...change,
      }).map(([key, value]) => [`tokenizer.ggml.${key}`, value]),
    );

  it.each([
    [{ tokens: strings(tokens.slice(0, 40)) }, /tokens has 40 tokens, the embedding 300 rows/],
    [{ tokens: strings([...tokens, 'more']) }, /tokens has 301 tokens/],
    [{ pre: { type: 'u32', value: 3 } }, /pre 3 is no name/],
    [{ token_type: { type: 'array', element: 'i32', value: [1, 1] } }, /token_type has 2 entries for 300/],
    [{ merges: strings(['t1']) }, /merge 0 \("t1"\) has 1 parts/],
  ] as const)('in a GGUF file %#: blocks text and nothing else', async (change, message) => {
    const path = join(temporaryDirectory(), 'm.gguf');
    await writeModelGguf(config, randomWeights(config), path, 'f32', keys(change));
    const { tokenizer, text, weights } = await loadModel(path);
    expect(tokenizer).toBeNull();
    expect(text.fault?.message).toMatch(message);
    await weights.close();
  });

  it('in a GGUF file: a flag that is neither true nor false is said', async () => {
    const path = join(temporaryDirectory(), 'm.gguf');
    const flag = { add_bos_token: { type: 'u32', value: 1 } as const };
    await writeModelGguf(config, randomWeights(config), path, 'f32', keys(flag));
    const { tokenizer, text, weights } = await loadModel(path);
    const side = { tokenizer: tokenizer!, arch: config.arch, text };
    expect(() => promptIds(side, 'none', 'a')).toThrow(/add_bos_token 1: must be true or false/);
    await weights.close();
  });
});

describe('a tokenizer with a pattern of its own', () => {
  const withPattern = (Regex: string) => {
    const json = parseTokenizerJson(
      JSON.stringify({
        ...buildTokenizerJson(),
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
            { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
          ],
        },
      }),
      't.json',
    );
    return createTokenizer(json, 't.json');
  };

  it('encodes as ever', () => {
    const text = 'sort owl elk';
    const tokenizer = withPattern(' ?\\p{L}+');
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  it('is refused by name when the pattern does not come to an end', () => {
    const started = withPattern('(a+)+$');
    expect(() => started.encode(`${'a'.repeat(60)}b`)).toThrow(DataError);
    expect(() => started.encode(`${'a'.repeat(60)}b`)).toThrow(
      /t.json: one of its patterns takes more than 1.* s/,
    );
    expect(started.encode('owl')).not.toEqual([]);
  });
});
