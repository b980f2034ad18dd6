import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { promptIds } from '../../src/model/chat.js';
import { NO_TEXT } from '../../src/model/model-text.js';
import { createTokenizer } from '../../src/model/tokenizer.js';
import { taskOfData } from '../../src/train/own-data.js';
import { trainModel } from '../../src/train/train.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function file(...lines: readonly string[]): string {
  const path = join(temporaryDirectory(), 'data.jsonl');
  writeFileSync(path, lines.join('\n'));
  return path;
}

describe('training on data of your own', () => {
  it('learns from the examples of the file', async () => {
    const task = taskOfData(
      file('{"prompt":"owl","answer":"elk"}', '{"question":"ant","target":"Oz 7"}'),
      'short',
    );
    expect(task.examples.map(({ prompt }) => prompt.length)).toEqual([3, 3]);
    const { losses } = await trainModel({
      task,
      steps: 120,
      batch: 4,
      layers: 1,
      hidden: 16,
      heads: 2,
      ffn: 32,
    });
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 10)) / 2);
  });

  it('refuses what it cannot learn from, by number', () => {
    expect(() => taskOfData(file('{"prompt":"owl"}'), 'short')).toThrow(/example 0 has no "answer"/);
    expect(() => taskOfData(file(`{"prompt":"owl","answer":"${'owl '.repeat(64)}"}`), 'short')).toThrow(
      /--set short has 32 \+ 63/,
    );
  });

  it('learns every turn of the assistant in a dialogue, in the template that the model then has', () => {
    const { examples, template, tokenizer } = taskOfData(
      file(
        '{"messages":[{"role":"user","content":"owl"},{"role":"assistant","content":"elk"},{"role":"user","content":"ant"},{"role":"assistant","content":"cat dog"}]}',
        '{"prompt":"bat","answer":"owl"}',
      ),
      'long',
    );
    expect(template).not.toBeNull();
    const side = createTokenizer(tokenizer, 'task');
    const text = { ...NO_TEXT, templates: new Map([['default', template ?? '']]) };
    const asked = [
      [{ role: 'user', content: 'owl' }],
      [
        { role: 'user', content: 'owl' },
        { role: 'assistant', content: 'elk' },
        { role: 'user', content: 'ant' },
      ],
      'bat',
    ];
    expect(examples.map(({ prompt }) => prompt)).toEqual(
      asked.map((prompt) => promptIds({ tokenizer: side, arch: 'llada', text }, 'file', prompt)),
    );
    expect(examples.map(({ response }) => side.decode(response).trim())).toEqual(['elk', 'cat dog', 'owl']);
  });

  it('refuses a dialogue in which the assistant says nothing', () => {
    const silent = file('{"messages":[{"role":"user","content":"owl"}]}');
    expect(() => taskOfData(silent, 'short')).toThrow(/example 0 has no "answer", and no message/);
  });
});
