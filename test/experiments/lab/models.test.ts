import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { numericsReport } from '../../../experiments/lab/numerics-report.js';
import { openDecider, openModel, openPolicy, type TextModel } from '../../../experiments/lab/open.js';
import { heldoutProblems } from '../../../experiments/lab/problems.js';
import { verifyPolicies } from '../../../experiments/lab/verify-policies.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import { parsePolicySpec } from '../../../src/decode/spec.js';
import { useBackend } from '../../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { scoreResponse } from '../../../src/score/score.js';
import { VOCAB, writeCheckpoint } from '../../support/checkpoint.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

/** A model that learned nothing, with the tokenizer of the shipped task. */
const config = tinyConfig({ vocab: VOCAB });
const spec = parsePolicySpec({ ...policySpecByName('threshold'), blockLength: 8 });
let directory: string;
let model: TextModel;
const openTfjs = () => createTfjsEngine(config, randomWeights(config, 7), { backend: 'wasm' });

beforeAll(async () => {
  await useBackend('wasm');
  directory = await writeCheckpoint(config, randomWeights(config, 7));
  model = await openModel(directory);
});
afterAll(() => model.weights.close());

describe('a model and a file', () => {
  it('answers its questions, or fills in its texts where a share of them is masked', async () => {
    const path = join(temporaryDirectory(), 'file.jsonl');
    const kinds = async (line: string, maskShare?: number) => {
      writeFileSync(path, `${line}\n`);
      const decider = await openDecider({ workload: directory, data: path, maskShare }, 1);
      const { answer } = await decider.decode(0, { policy: openPolicy(spec), genLength: 8 });
      decider.close();
      return new Set(answer?.tasks.map(({ kind }) => kind));
    };
    expect(await kinds(JSON.stringify({ prompt: 'sort', answer: 'a' }))).toEqual(new Set(['answer']));
    expect(await kinds('sort', 0.5)).toEqual(new Set(['token']));
  });
});

describe('policies on engines', () => {
  it('are verified on the problems and the length that are asked for, and counted', async () => {
    const problems = heldoutProblems(model, 1, 0, 2);
    const seen: number[][] = [];
    const [report, ...others] = await verifyPolicies({
      model,
      specs: [spec],
      engines: ['tfjs'],
      problems,
      genLength: 8,
      every: 1,
      openEngine: openTfjs,
      onProgress: (done, total) => seen.push([done, total]),
    });
    expect(others).toEqual([]);
    expect(report).toMatchObject({ policy: 'threshold', problems: 2, tokens: 16, mismatches: 0 });
    expect(seen.at(-1)).toEqual([2, 2]);
  });
});

describe('two engines on one model', () => {
  it('have as many exact answers as their texts that the task takes', async () => {
    const [reference, engine] = [await openTfjs(), await openTfjs()];
    const problems = heldoutProblems(model, 1, 0, 2);
    const request = {
      spec,
      model,
      problems,
      reference,
      engine,
      cases: 2,
      firstCase: 0,
      seed: 1,
      genLength: 8,
    };
    const report = await numericsReport({ ...request, nearTie: 0.01 }, {});
    // Of a model that learned nothing.
    expect(scoreResponse(problems[0].problem, '').exact).toBe(false);
    expect(report.exactAnswers).toEqual({ reference: 0, engine: 0 });
    expect(report.divergences).toEqual([]);
    for (const each of [reference, engine]) each.dispose();
  });
});
