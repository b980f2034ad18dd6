import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ResultStore } from '../../experiments/lab/store.js';
import { decode } from '../../experiments/library/decode.js';
import { loadModel } from '../../experiments/library/model.js';
import { QUALITY_DEFAULTS, type QualityOptions } from '../../experiments/studies/quality/options.js';
import { runQuality } from '../../experiments/studies/quality/run.js';
import { qualitySamples } from '../../experiments/studies/quality/samples.js';
import { readDataFile } from '../../src/score/data-file.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

it('quality asks the questions of a file, judges them by its answers, and logs samples that it reads itself', async () => {
  const folder = temporaryDirectory();
  const data = join(folder, 'data.jsonl');
  writeFileSync(data, '{"question":"A flip 0 3","answer":"#### 0"}\n{"prompt":"A flip 4 3","target":"4"}\n');
  const store = new ResultStore(temporaryDirectory());
  const options: QualityOptions = {
    ...QUALITY_DEFAULTS,
    n: 2,
    genLength: 32,
    blockLength: null,
    policies: ['block-kv', 'threshold'],
    data,
    scorer: 'gsm8k-flexible',
  };
  const table = await runQuality(options, { store, jobs: 0 });
  expect(table.rows[0].exact.n).toBe(2);
  expect(table.command).toContain(`--data ${data} --scorer 'gsm8k-flexible'`);

  const logged = await qualitySamples(options, store);
  const samples = logged
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(samples.map(({ doc_id: id, policy, target }) => [id, policy, target])).toEqual([
    [0, 'block-kv', '#### 0'],
    [0, 'threshold', '#### 0'],
    [1, 'block-kv', '4'],
    [1, 'threshold', '4'],
  ]);
  const right = samples.filter(({ policy, exact_match: match }) => policy === 'block-kv' && match === 1);
  expect(right.length).toBe(table.rows[0].exact.successes);

  const again = join(folder, 'samples.jsonl');
  writeFileSync(again, logged);
  expect(readFileSync(again, 'utf8')).toBe(logged);
  expect(readDataFile(again).map(({ prompt }) => prompt)).toEqual(['A flip 0 3', 'A flip 4 3']);

  // Another answer is another question: nothing of the first table may come back.
  writeFileSync(
    data,
    '{"question":"A flip 0 3","answer":"no number"}\n{"prompt":"A flip 4 3","target":"x"}\n',
  );
  const other = await runQuality(options, { store, jobs: 0 });
  expect(other.rows[0].exact.successes).toBe(0);
});

it('quality fills in the masks of its questions, as generate does', async () => {
  const folder = temporaryDirectory();
  const data = join(folder, 'data.jsonl');
  writeFileSync(
    data,
    '{"prompt":"A flip 2 4 8 [] A : flip","answer":"A flip 2 4 8 B A : flip"}\n{"prompt":"A flip 2 4 8","answer":"x"}\n',
  );
  const store = new ResultStore(temporaryDirectory());
  const options: QualityOptions = {
    ...QUALITY_DEFAULTS,
    n: 1,
    genLength: 0,
    blockLength: null,
    policies: ['block-kv', 'llada'],
    data,
    maskToken: '[]',
  };
  const table = await runQuality(options, { store, jobs: 0 });
  expect(table.command).toContain("--mask-token '[]' --gen-length 0");
  const [logged] = (await qualitySamples(options, store)).split('\n');
  const { resps } = JSON.parse(logged) as { resps: string[][] };

  const model = await loadModel('tiny-llada');
  const mask = model.tokenizer?.token(model.config.maskId ?? -1);
  const prompt = `A flip 2 4 8 ${mask} A : flip`;
  const { text } = await decode({ model, prompt, policy: 'block-kv', genLength: 0 }).result;
  expect(resps).toEqual([[text]]);
  expect(text).toMatch(/^A flip 2 4 8 +\S+ A : flip$/);
  await model.close();

  const nothing = { ...options, firstIndex: 1 };
  await expect(runQuality(nothing, { store, jobs: 0 })).rejects.toThrow(/no masks to fill in/);
});
