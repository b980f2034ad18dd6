import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dataQuestions } from '../../../experiments/lab/deciders/data-questions.js';
import { deciderInputs } from '../../../experiments/lab/deciders/inputs.js';
import { execute } from '../../../experiments/lab/execute.js';
import { formatRuns } from '../../../experiments/lab/format-runs.js';
import { decisionInputs } from '../../../experiments/lab/kinds/inputs.js';
import { stepKind } from '../../../experiments/lab/kinds/step.js';
import { Lab } from '../../../experiments/lab/lab.js';
import { openDecider, openModel, openPolicy } from '../../../experiments/lab/open.js';
import { RUN_SCHEMA, type RunRecord } from '../../../experiments/lab/record.js';
import { deciderSchema, methodSchema } from '../../../experiments/lab/setup.js';
import { sweepJsonSchema } from '../../../experiments/lab/sweep-schema.js';
import { engineDifferences } from '../../../experiments/lab/verify-policies.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { PolicyReport } from '../../../src/engine/verify/verify-policy.js';
import { EnvironmentError, UsageError } from '../../../src/errors.js';
import { writeCheckpoint } from '../../support/checkpoint.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

const STEP = { costModel: 'tinyllama-1.1b', rows: 8, context: 0, logitsRows: null };
const config = (changes = {}) => stepKind.config.parse({ ...STEP, ...changes });

describe('a run', () => {
  it.each([
    [new UsageError('no'), 'refused'],
    [new EnvironmentError('no'), 'environment'],
    [new TypeError('no'), 'failed'],
  ])('that ends with %s is %s, and says why', async (error, outcome) => {
    const lab = new Lab();
    lab.machine = () => {
      throw error;
    };
    const made = await execute('step', config(), lab);
    expect(made).toMatchObject({ outcome, reason: 'no' });
    expect(made.seconds).toBeGreaterThanOrEqual(0);
  });

  it('of a step computes the logits of all rows unless fewer are asked for', async () => {
    const lab = new Lab();
    const ms = async (logitsRows: number | null) => {
      const { metrics } = await stepKind.run(config({ logitsRows }), lab);
      return metrics.ms ?? Number.NaN;
    };
    expect(await ms(null)).toBe(await ms(8));
    expect(await ms(99)).toBe(await ms(8));
    expect(await ms(1)).toBeLessThan(await ms(8));
    await lab.close();
  });

  it('of a step depends on its chip', async () => {
    expect(Object.keys(await stepKind.inputs(config()))).toEqual(['profile sm8750']);
  });

  it('depends on the file of its policy', async () => {
    const path = join(temporaryDirectory(), 'own.json');
    writeFileSync(path, JSON.stringify(policySpecByName('threshold')));
    const inputs = async (policy: string) =>
      decisionInputs({
        ...deciderSchema.parse({ workload: 'synthetic' }),
        ...methodSchema.parse({ policy }),
      });
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    expect((await inputs(path))[`policy ${path}`]).toBe(sha256);
    expect(Object.keys(await inputs('threshold'))).toEqual(['confidence process']);
  });
});

describe('runs as a table', () => {
  const hash = (digit: string): string => digit.repeat(64);
  const record: RunRecord = {
    schema: RUN_SCHEMA,
    hash: hash('a'),
    kind: 'step',
    config: { rows: 8 },
    inputs: {},
    code: hash('b'),
    version: '0',
    outcome: 'done',
    metrics: { ms: 2 },
  };

  it('has the columns that are asked for, the first one too, in their order', () => {
    expect(formatRuns('csv', [record], ['ms', 'hash'])).toBe(`ms,hash\n2,${hash('a')}\n`);
    expect(() => formatRuns('csv', [record], ['hsah'])).toThrow(/unknown column "hsah".*hash/);
  });
});

describe('the schema of sweep files', () => {
  it('holds the options of a kind for its base and its runs', async () => {
    const schema = (await sweepJsonSchema()) as {
      allOf: { if: { properties: { kind: { const: string } } }; then: { properties: object } }[];
      $defs: Record<string, { properties: object }>;
    };
    const of = schema.allOf.find((each) => each.if.properties.kind.const === 'step');
    const options = { $ref: '#/$defs/step' };
    expect(of?.then.properties).toEqual({ base: options, runs: { items: options } });
    expect(Object.keys(schema.$defs.step.properties)).toContain('logitsRows');
  });
});

describe('engines', () => {
  it('differ in a policy where their texts do', () => {
    const report = (engine: string, policy: string, textHash: number) =>
      ({ engine, policy, textHash }) as unknown as PolicyReport;
    const first = [report('tfjs', 'a', 1), report('tfjs', 'b', 2)];
    expect(engineDifferences(first)).toEqual([]);
    expect(engineDifferences([...first, report('ort', 'a', 1), report('ort', 'b', 3)])).toEqual(['b']);
  });
});

describe('adaptive lookahead', () => {
  const spec = policySpecByName('mbsd');
  const asked = async (policy: ReturnType<typeof openPolicy>) => {
    const decider = await openDecider({ workload: 'synthetic' }, 1);
    await decider.decode(0, { policy, genLength: 64 });
  };

  it('asks a machine what rows cost where it is given one, and only then', async () => {
    const machine = () => {
      throw new Error('asked');
    };
    await expect(asked(openPolicy(spec, machine))).rejects.toThrow('asked');
    await expect(asked(openPolicy(spec))).resolves.toBeUndefined();
  });
});

describe('questions of a file', () => {
  const path = join(temporaryDirectory(), 'questions.jsonl');

  it('end where the file says that an answer ends', async () => {
    const model = await openModel('tiny-llada');
    await model.weights.close();
    const [word, stop, rest] = ['sort', ';', 'add'];
    // As lm-evaluation-harness logs it.
    const sent = { gen_args_0: { arg_0: 'sort', arg_1: { until: [stop] } } };
    writeFileSync(path, `${JSON.stringify({ arguments: sent, target: word })}\n`);
    const [question] = dataQuestions(path, model, { scorer: 'exact' });
    const tokens = model.tokenizer.encode(`${word}${stop}${rest}`);
    expect(model.tokenizer.decode(tokens)).toContain(rest);
    expect(question.text(tokens)).toBe(word);
    expect(question.judge(tokens).exact).toBe(true);
  });
});

describe('what a model is', () => {
  it('counts its weights, and its tokenizer with its templates', async () => {
    const tiny = tinyConfig();
    const of = async (seed: number, template: string) => {
      const directory = await writeCheckpoint(tiny, randomWeights(tiny, seed));
      const settings = JSON.stringify({ chat_template: template });
      writeFileSync(join(directory, 'tokenizer_config.json'), settings);
      const inputs = await deciderInputs(directory);
      return { tokenizer: inputs[`tokenizer of ${directory}`], weights: inputs[`model ${directory}`] };
    };
    const [one, two] = ['{{ messages[0].content }}', '{{ messages[1].content }}'];
    const first = await of(3, one);
    expect(first.tokenizer).toMatch(/^[0-9a-f]{64}$/);
    expect(await of(3, one)).toEqual(first);
    expect(await of(3, two)).toEqual({ ...first, tokenizer: expect.not.stringMatching(first.tokenizer) });
    expect(await of(4, one)).toEqual({ ...first, weights: expect.not.stringMatching(first.weights) });
  });
});
