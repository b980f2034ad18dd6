import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDataFile } from '../../src/score/data-file.js';
import { SCORER_FORMS, scorerOf, usualScorer } from '../../src/score/scorers/registry.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function file(...lines: readonly string[]): string {
  const path = join(temporaryDirectory(), 'data.jsonl');
  writeFileSync(path, lines.join('\n'));
  return path;
}

describe('a data file', () => {
  it('holds prompts, questions, dialogues or samples, with or without answers', () => {
    const path = file(
      '\uFEFF{"prompt":"a","answer":7}',
      '',
      '{"question":"b","answer":"4*2=8\\n#### 8"}\r',
      '{"messages":[{"role":"user","content":"c","name":"x"}]}',
      '{"doc_id":0,"doc":{"question":"x"},"target":"9","arguments":{"gen_args_0":{"arg_0":"Question: x","arg_1":{}}}}',
      '{"arguments":[["Question: y",{"until":["\\n"]}]],"target":null}',
    );
    expect(readDataFile(path)).toEqual([
      { prompt: 'a', answer: '7' },
      { prompt: 'b', answer: '4*2=8\n#### 8' },
      { prompt: [{ role: 'user', content: 'c' }], answer: null },
      { prompt: 'Question: x', answer: '9' },
      { prompt: 'Question: y', answer: null },
    ]);
  });

  it('is refused by line and field', () => {
    expect(() => readDataFile(file('{"prompt":"a"}', '{"prompt'))).toThrow(/data\.jsonl:2: not JSON/);
    expect(() => readDataFile(file('{"text":"a"}'))).toThrow(/:1: no text in field/);
    expect(() => readDataFile(file('{"messages":[{"role":"user"}]}'))).toThrow(/:1: messages\.0\.content/);
    expect(() => readDataFile(file(''))).toThrow(/no prompts/);
  });
});

describe('scorers', () => {
  const gold = '4*2=<<4*2=8>>8\n#### 1,008';
  it.each([
    ['exact', ' owl  elk\n', 'owl elk', true],
    ['exact', 'owl', 'owl elk', false],
    ['gsm8k-strict', 'so\n#### 1008.', gold, true],
    ['gsm8k-strict', 'The answer is 1008', gold, false],
    ['gsm8k-flexible', 'The answer is $1,008. ', gold, true],
    ['gsm8k-flexible', '1008 and then 7', gold, false],
    ['gsm8k-flexible', 'none', gold, false],
    ['regex:answer: (\\w+)', 'the answer: owl.', 'owl', true],
    ['regex:answer: (\\w+)', 'owl', 'owl', false],
    ['command:grep -q owl', 'owl', 'x', true],
    ['command:grep -q owl', 'elk', 'x', false],
  ])('%s judges %j against %j', (name, text, answer, right) => {
    expect(scorerOf(name).isRight(text, answer)).toBe(right);
  });

  it('are named with what they take', () => {
    expect(SCORER_FORMS).toContain('regex:EXPRESSION');
    expect(() => scorerOf('exakt')).toThrow(/exact/);
    expect(() => scorerOf('exact:3')).toThrow(/takes nothing/);
    expect(() => scorerOf('regex')).toThrow(/regex:EXPRESSION/);
    expect(() => scorerOf('regex:(')).toThrow(/scorer regex/);
    expect(() => scorerOf('command:exit 3').isRight('a', 'b')).toThrow(/exit 3/);
    expect([usualScorer('#### 5'), usualScorer('5')]).toEqual(['gsm8k-strict', 'exact']);
  });
});
