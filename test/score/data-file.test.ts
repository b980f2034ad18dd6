import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutAnswer, readDataFile } from '../../src/score/data-file.js';
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
      { prompt: 'Question: y', answer: null, until: ['\n'] },
    ]);
  });

  it('is refused by line and field', () => {
    expect(() => readDataFile(file('{"prompt":"a"}', '{"prompt'))).toThrow(/data\.jsonl:2: not JSON/);
    expect(() => readDataFile(file('{"text":"a"}'))).toThrow(/:1: no text in field/);
    expect(() => readDataFile(file('{"messages":[{"role":"user"}]}'))).toThrow(/:1: messages\.0\.content/);
    expect(() => readDataFile(file(''))).toThrow(/no prompts/);
  });

  it('drops nothing that changes a question, an answer or how one is made', () => {
    const REFUSED: readonly (readonly [string, RegExp])[] = [
      ['{"prompt":"a","question":"b"}', /"prompt" and "question": keep one/],
      ['{"prompt":"a","messages":[{"role":"user","content":"a"}]}', /"messages" and "prompt": keep one/],
      ['{"prompt":"a","answer":"1","target":"2"}', /"answer" and "target" differ/],
      ['{"prompt":"a","system":"be brief"}', /"system" is not read: .*--system/],
      ['{"prompt":"a","tools":[{"name":"x"}]}', /"tools" is not read/],
      ['{"question":"a","choices":["x","y"],"answer":1}', /"choices" is not read: write it into the prompt/],
      ['{"prompt":"a","input":"b"}', /"input" is not read/],
      ['{"prompt":"a","temperature":0.7}', /"temperature" is not read: .* command line/],
      ['{"prompt":"a","stop":["b"]}', /"stop" is not read/],
      ['{"prompt":"a","answer":""}', /answer: expected one text or number/],
      ['{"prompt":"a","answer":["b"]}', /answer: expected one text or number/],
      ['{"arguments":{"gen_args_0":{"arg_0":"a","arg_1":" b"}}}', /weigh given answers/],
      ['{"arguments":{"gen_args_0":{"arg_0":"a"},"gen_args_1":{"arg_0":"a"}}}', /weigh given answers/],
      ['{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}', /parts of type text/],
      ['[{"prompt":"a"}]', /one a line, not a list/],
      ['[', /not JSON: one object a line/],
    ];
    for (const [line, why] of REFUSED) expect(() => readDataFile(file(line))).toThrow(why);
    expect(readDataFile(file('{"prompt":"a","answer":" 1","target":"1","tools":[],"system":null}'))).toEqual([
      { prompt: 'a', answer: ' 1' },
    ]);
    expect(
      readDataFile(file('{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}]}')),
    ).toEqual([{ prompt: [{ role: 'user', content: 'a' }], answer: null }]);
  });

  it('of the harness has each question once, and its answers end where the harness cuts them', () => {
    const logged = (filter: string) =>
      JSON.stringify({
        doc_id: 3,
        target: '4',
        arguments: { gen_args_0: { arg_0: 'Q', arg_1: { until: ['\n', 'Q:'], temperature: 0 } } },
        filter,
      });
    const other = '{"doc_id":4,"target":"4","arguments":{"gen_args_0":{"arg_0":"Q"}}}';
    const cases = readDataFile(file(logged('strict-match'), logged('flexible-extract'), other));
    expect(cases).toEqual([
      { prompt: 'Q', answer: '4', until: ['\n', 'Q:'] },
      { prompt: 'Q', answer: '4' },
    ]);
    expect(cutAnswer(' 4 Q: 5\n6', cases[0])).toBe(' 4 ');
    expect(cutAnswer(' 4 Q: 5', cases[1])).toBe(' 4 Q: 5');
  });

  it.each([
    [Buffer.from([0x1f, 0x8b, 8, 0]), /compressed by gzip: unpack it/],
    [Buffer.from('PAR1'), /a Parquet file/],
    [Buffer.from([0xff, 0xfe, 0x7b, 0]), /UTF-16: save it as UTF-8/],
  ])('that is none is named: %o', (bytes, why) => {
    const path = join(temporaryDirectory(), 'data.jsonl');
    writeFileSync(path, bytes);
    expect(() => readDataFile(path)).toThrow(why);
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
