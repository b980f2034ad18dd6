import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { promptIds, usualFormat } from '../../src/model/chat.js';
import { loadModel } from '../../src/model/load.js';
import { createTokenizer } from '../../src/model/tokenizer.js';
import { readDataFile } from '../../src/score/data-file.js';
import { saveTrained } from '../../src/train/save-trained.js';
import { openTaskFile } from '../../src/train/task-file.js';
import { drawExamples, generatorSchema } from '../../src/train/task-generator.js';
import { trainModel } from '../../src/train/train.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

function taskFile(content: object): string {
  const path = join(temporaryDirectory(), 'task.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const animals = ['ant', 'bat', 'cat', 'dog', 'élan'];
const generator = {
  count: 300,
  words: { animal: animals },
  forms: [
    { prompt: 'flip {x: 2-3 animal}', answer: '{x reverse}' },
    { prompt: '{a: 0-9} plus {b: 10-19}', answer: '{a + b} of {a} and {b}' },
    { prompt: 'rank {x: 3 animal}', answer: '{x sort} : {x first} {x last} {x count}' },
  ],
};

describe('a generator of examples', () => {
  it('answers what it asks', () => {
    const drawn = drawExamples(generatorSchema.parse(generator), 'task');
    expect(drawn.length).toBeGreaterThan(150);
    expect(new Set(drawn.map(({ prompt }) => prompt)).size).toBe(drawn.length);
    for (const { prompt, answer } of drawn) {
      const [verb, ...words] = prompt.split(' ');
      if (verb === 'flip') expect(answer.split(' ')).toEqual([...words].reverse());
      else if (verb === 'rank')
        expect(answer).toBe(`${[...words].sort().join(' ')} : ${words[0]} ${words[2]} 3`);
      else expect(answer).toBe(`${Number(verb) + Number(words[1])} of ${verb} and ${words[1]}`);
      expect(new Set(words).size).toBe(words.length);
    }
    expect(drawExamples(generatorSchema.parse(generator), 'task')).toEqual(drawn);
  });

  it.each([
    ['{x: 9 animal}', /draws 9 of 5 words/],
    ['{x: plant}', /no list plant/],
    ['{x}', /slot \{x\} means nothing/],
    ['{x: animal} {x: animal}', /draws x a second time/],
    ['{x: animal} {x + x}', /means nothing/],
    ['{x: 5-2}', /runs backwards/],
  ])('refuses the slot of %s', (prompt, message) => {
    const wrong = generatorSchema.parse({ ...generator, forms: [{ prompt, answer: 'a' }] });
    expect(() => drawExamples(wrong, 'task')).toThrow(message);
  });
});

describe('a task of your own', () => {
  it('is trained in its own words, saved, and asks what it kept back', async () => {
    const task = openTaskFile(taskFile({ name: 'beasts', generator, heldOut: 0.2 }));
    expect(task.canvas).toBe(32);
    const asked = drawExamples(generatorSchema.parse(generator), 'task').length;
    expect(task.examples.length + task.heldOut.length).toBe(asked);
    const tokenizer = createTokenizer(task.tokenizer, 'task');
    for (const animal of animals) expect(tokenizer.encode(animal)).toHaveLength(1);
    const trained = await trainModel({ task, steps: 2, batch: 2, layers: 1, hidden: 16, heads: 2, ffn: 16 });

    const out = temporaryDirectory();
    await saveTrained(out, trained);
    const model = await loadModel(join(out, 'model.gguf'));
    expect(model.config.name).toBe('beasts');
    const held = readDataFile(join(out, 'heldout.jsonl'));
    expect(held).toHaveLength(task.heldOut.length);
    const seen = new Set(task.examples.map(({ prompt }) => prompt.join()));
    if (model.tokenizer === null) throw new Error('no tokenizer was written');
    const side = { tokenizer: model.tokenizer, arch: model.config.arch, text: model.text };
    const ids = held.map(({ prompt }) => promptIds(side, usualFormat(side), prompt));
    expect(ids.every((prompt) => !seen.has(prompt.join()))).toBe(true);
    expect(ids.flat().every((id) => id < model.config.vocab)).toBe(true);
    await model.weights.close();
  });

  it('reads its data beside it, dialogues too', () => {
    const path = taskFile({ name: 'own', data: 'data.jsonl', heldOut: 0, canvas: 64 });
    const line = { messages: [{ role: 'user', content: 'Grüße' }], answer: 'hello there' };
    writeFileSync(join(path, '..', 'data.jsonl'), `${JSON.stringify(line)}\n`);
    const { examples, template, canvas } = openTaskFile(path);
    expect([examples.length, canvas]).toEqual([1, 64]);
    expect(template).not.toBeNull();
  });

  it.each([
    [{ name: 'a' }, /give one of "data" and "generator"/],
    [{ name: 'a b', generator }, /a name has letters/],
    [{ name: 'a', generator, canvas: 33 }, /multiple of 32/],
    [{ name: 'a', generator, wrods: 1 }, /wrods/],
    [
      { name: 'a', canvas: 32, generator: { forms: [{ prompt: '{n: 0-9}', answer: 'a '.repeat(40) }] } },
      /has 1024 \+ 31/,
    ],
  ])('refuses %j', (content, message) => {
    expect(() => openTaskFile(taskFile(content))).toThrow(message);
  });

  it('ships no example that does not open', () => {
    const help = readFileSync(new URL('../../cli/commands/train.ts', import.meta.url), 'utf8');
    const shown = /\{"words"[\s\S]*?\]\}\n/.exec(help)?.[0] ?? '';
    const task = openTaskFile(taskFile({ name: 'shown', generator: JSON.parse(shown) as object }));
    expect(task.examples.length).toBeGreaterThan(50);
  });
});
