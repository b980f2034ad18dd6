import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canvasesOf } from '../../../experiments/lab/deciders/canvases.js';
import { dataQuestions } from '../../../experiments/lab/deciders/data-questions.js';
import type { CaseRequest } from '../../../experiments/lab/deciders/decider.js';
import { observe } from '../../../experiments/lab/deciders/facts.js';
import { deciderInputs } from '../../../experiments/lab/deciders/inputs.js';
import { maskedQuestions } from '../../../experiments/lab/deciders/masked-questions.js';
import { maskText } from '../../../experiments/lab/deciders/masking.js';
import { ModelDecider, modelDecisions } from '../../../experiments/lab/deciders/model.js';
import { modelOf, parseDecider } from '../../../experiments/lab/deciders/name.js';
import { caseOf, syntheticDecider } from '../../../experiments/lab/deciders/synthetic/decider.js';
import { SYNTHETIC_CONFIG, SyntheticEngine } from '../../../experiments/lab/deciders/synthetic/engine.js';
import { stepsAt } from '../../../experiments/lab/deciders/synthetic/fit.js';
import { FIT_DEFAULTS } from '../../../experiments/lab/deciders/synthetic/fit-options.js';
import { nelderMead } from '../../../experiments/lab/deciders/synthetic/nelder-mead.js';
import {
  objective,
  type Residual,
  residuals,
} from '../../../experiments/lab/deciders/synthetic/objective.js';
import { plainThreshold } from '../../../experiments/lab/deciders/synthetic/plain-threshold.js';
import {
  parametersSchema,
  processByName,
  processFile,
  processPath,
} from '../../../experiments/lab/deciders/synthetic/profiles.js';
import {
  PUBLISHED_FORWARDS,
  PUBLISHED_TASKS,
} from '../../../experiments/lab/deciders/synthetic/published-tasks.js';
import { TraceDecider, traceFiles } from '../../../experiments/lab/deciders/trace.js';
import { variant } from '../../../experiments/lab/decode-statistics.js';
import { openModel, openPolicy } from '../../../experiments/lab/open.js';
import { heldoutProblems, openProblems } from '../../../experiments/lab/problems.js';
import { decode } from '../../../src/decode/method/session.js';
import type { StepTimer } from '../../../src/decode/method/timer.js';
import { uniformAt } from '../../../src/decode/rules/random.js';
import { readTrace, type Trace, traceOf, writeTrace } from '../../../src/decode/trace/trace.js';
import type { Engine } from '../../../src/engine/engine.js';
import { CheckError, DataError, EnvironmentError, UsageError } from '../../../src/errors.js';
import { fileSha256 } from '../../../src/model/load.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import { generateProblem } from '../../../src/score/problems.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const { parameters } = processFile();
const [END] = SYNTHETIC_CONFIG.endIds;

describe('the name of a decider', () => {
  it.each([
    ['tiny', { kind: 'model', model: 'tiny', set: 'long' }],
    ['a/b:c.gguf', { kind: 'model', model: 'a/b:c.gguf', set: 'long' }],
    ['tiny:hard', { kind: 'model', model: 'tiny', set: 'hard' }],
    ['trace:a:b', { kind: 'trace', path: 'a:b' }],
    ['trace', { kind: 'trace', path: '' }],
    ['synthetic', { kind: 'synthetic', profile: 'paper' }],
    ['synthetic:', { kind: 'synthetic', profile: 'paper' }],
    ['synthetic:easy', { kind: 'synthetic', profile: 'easy' }],
    ['synthetic:,prompt=7', { kind: 'synthetic', profile: 'paper', promptTokens: 7 }],
    ['synthetic:my.json,prompt=10', { kind: 'synthetic', profile: 'my.json', promptTokens: 10 }],
  ])('%s', (name, said) => {
    expect(parseDecider(name)).toEqual(said);
  });

  it.each(['prompt=0', 'prompt=', 'prompt=01', 'prompt=1x', 'xprompt=1', 'length=3'])(
    'has no option %s',
    (option) => {
      expect(() => parseDecider(`synthetic:easy,${option}`)).toThrow(
        new UsageError(`unknown option "${option}" of the synthetic workload: prompt=TOKENS is the only one`),
      );
    },
  );

  it('holds that of its model', () => {
    expect(['tiny:hard', 'tiny', 'trace:x', 'synthetic'].map(modelOf)).toEqual([
      ...['tiny', 'tiny', 'trace:x', 'synthetic'],
    ]);
  });
});

describe('a decider of the confidence process', () => {
  it('says what it was fitted to, and that no model ran', () => {
    const easy = syntheticDecider('easy', 7);
    expect(easy).toMatchObject({
      kind: 'synthetic',
      name: 'synthetic:easy',
      engineName: null,
      defaultCases: 24,
    });
    expect(easy.decisions(3)).toBe(
      'synthetic:easy, a confidence process fitted to Figures 5b and 8 (no model ran), 3 cases of seed 7',
    );
    const path = join(temporaryDirectory(), 'own.json');
    writeFileSync(path, JSON.stringify(processFile()));
    expect(syntheticDecider(path, 1).decisions(1)).toContain('fitted to recorded trajectories');
    expect(syntheticDecider('paper', 1, 9).name).toBe('synthetic:paper,prompt=9');
    expect(syntheticDecider('paper', 1, 80).name).toBe('synthetic');
    expect(easy.close()).toBeUndefined();
  });

  it('decodes its own prompt with the shifted process, and starts where it says', async () => {
    const policy = openPolicy(variant('threshold'));
    const starts: number[] = [];
    const found = await syntheticDecider('hard', 3, 12).decode(4, {
      ...{ policy, genLength: 32 },
      onStart: ({ promptLength, genLength, endIds, maskId }) =>
        void starts.push(promptLength, genLength, maskId, ...endIds),
    });
    expect(starts).toEqual([12, 32, SYNTHETIC_CONFIG.maskId, END]);
    expect(found).toMatchObject({ promptLength: 12, endIds: [END], answer: null });
    const shift = processByName('hard').profile.shift;
    expect(shift).toBeLessThan(0);
    const engine = new SyntheticEngine(
      { ...parameters, bias: parameters.bias + shift },
      caseOf({ seed: 3, promptTokens: 12, textTokens: null }, 4),
    );
    const own = await decode({ policy, engine, promptIds: new Array(12).fill(0), genLength: 32 });
    expect(found.tokens).toEqual(own.tokens);
    expect(found.steps).toEqual(own.steps);
    const signal = new AbortController().signal;
    const heard = await syntheticDecider('hard', 3, 12).decode(4, { policy, genLength: 32, signal });
    expect(heard.tokens).toEqual(own.tokens);
  });

  it.each(['klass', 'prophet'])('refuses %s, which asks for more than it knows', async (name) => {
    const asked = syntheticDecider('paper', 1).decode(0, {
      policy: openPolicy(variant(name)),
      genLength: 32,
    });
    await expect(asked).rejects.toThrow(
      new UsageError(
        `${name} asks for more than how sure a row is, which is all that the confidence process says: decode it with a model`,
      ),
    );
  });

  it('has cases that differ by seed and by the length of their text', () => {
    const source = { seed: 5, promptTokens: 3, textTokens: 100 };
    const seed = hashNumbers(5, 2);
    const normal =
      Math.sqrt(-2 * Math.log(uniformAt(seed, 7, 0))) * Math.cos(2 * Math.PI * uniformAt(seed, 7, 1));
    expect(caseOf(source, 2)).toEqual({
      seed,
      promptLength: 3,
      textLength: Math.round(100 * 1.25 ** normal),
    });
    expect(caseOf({ ...source, textTokens: null }, 2)).toEqual({
      ...{ seed, promptLength: 3, textLength: Number.POSITIVE_INFINITY },
    });
    expect(caseOf({ ...source, textTokens: 0.01 }, 2).textLength).toBe(1);
  });

  it('is a profile that there is, of the shipped process or of a file', () => {
    expect(processByName('gsm8k')).toEqual({
      ...{ parameters, profile: processFile().profiles.gsm8k, path: processPath() },
    });
    expect(() => processByName('gsm8')).toThrow('unknown synthetic profile "gsm8": did you mean gsm8k');
    const directory = temporaryDirectory();
    const path = join(directory, 'own.json');
    const other = { ...processFile(), parameters: { ...parameters, bias: 9 } };
    writeFileSync(path, JSON.stringify(other));
    expect(processByName(path)).toEqual({
      ...{ parameters: other.parameters, profile: other.profiles.paper, path },
    });
    writeFileSync(path, JSON.stringify({ ...other, profiles: { easy: other.profiles.easy } }));
    expect(() => processByName(path)).toThrow(new DataError(`${path}: no profile "paper"`));
    expect(() => processByName(join(directory, 'none.json'))).toThrow(EnvironmentError);
    for (const [name, value] of Object.entries({
      ...{ densityScale: 0, easyShare: 1.1, spread: -1, sharpness: 0, wrongWeight: 1.01, bias: null },
    }))
      expect(parametersSchema.safeParse({ ...parameters, [name]: value }).success, name).toBe(false);
    for (const [name, value] of Object.entries({ easyShare: 0, spread: 0, wrongWeight: 1 }))
      expect(parametersSchema.safeParse({ ...parameters, [name]: value }).success, name).toBe(true);
    expect(parametersSchema.safeParse({ ...parameters, more: 1 }).success).toBe(false);
  });
});

describe('the policy threshold, written out', () => {
  it.each([
    [0.5, null],
    [0.9, 40],
    [0.97, 9],
  ])('is that of the session at %d with text %j', async (tau, textTokens) => {
    const one = caseOf({ seed: 11, promptTokens: 6, textTokens }, 1);
    const engine = new SyntheticEngine(parameters, one);
    const policy = openPolicy(variant('threshold', { 'commit.tau': tau, blockLength: 16 }));
    const { steps } = await decode({ policy, engine, promptIds: [0, 0, 0, 0, 0, 0], genLength: 48 });
    const denoising = steps.filter(({ plan }) => plan.passes[0].kind === 'denoise');
    const plain = plainThreshold(parameters, one, 48, 16, tau);
    expect(plain.steps).toBe(denoising.length);
    const first = new Map<number, number>();
    const commits = denoising.flatMap(({ plan, transitions }) => {
      const step = plan.step - (first.get(plan.block) ?? plan.step) + 1;
      if (!first.has(plan.block)) first.set(plan.block, plan.step);
      return transitions
        .filter(({ token, tokenBefore }) => token !== tokenBefore)
        .map(({ position, confidence }) => ({ offset: (position - 6) % 16, step, confidence }))
        .sort((a, b) => a.offset - b.offset);
    });
    expect(plain.commits.map(({ offset, step }) => [offset, step])).toEqual(
      commits.map(({ offset, step }) => [offset, step]),
    );
    plain.commits.forEach(({ confidence }, at) => {
      expect(confidence).toBeCloseTo(commits[at].confidence, 5);
    });
  });
});

describe('what a fit is worth', () => {
  const residual = (name: string, fitted: number, target: number, scale: number): Residual => ({
    ...{ name, fitted, target, scale },
  });

  it('is the mean square in units of its scales, both figures alike', () => {
    const of = [
      residual('Figure 5b, a', 3, 1, 2),
      residual('Figure 5b, b', 1, 4, 1),
      residual('Figure 8, a', 1, 2, 0.5),
    ];
    // (1 + 9) / 2 and 4.
    expect(objective(of)).toBe(4.5);
  });

  it('compares the points of both figures, each with its scale', async () => {
    const asked: number[] = [];
    const run = { seed: 1, cases: 1, genLength: 32 };
    const firstCommit = Array.from({ length: 32 }, (_, at) => at / 2);
    const found = await residuals(parameters, run, (given, how, tau) => {
      expect([given, how]).toEqual([parameters, run]);
      asked.push(tau);
      return { tokensPerStep: 10 * tau, committedBelow: 100 * tau, firstCommit };
    });
    expect(asked).toHaveLength(8);
    const two = (tau: number) => found.filter(({ name }) => name.endsWith(` at ${tau}`));
    for (const tau of asked) {
      const [speed, below] = two(tau);
      expect(speed.name).toBe(`Figure 5b, tokens per step at ${tau}`);
      expect([speed.fitted, speed.scale]).toEqual([10 * tau, 0.05 * speed.target]);
      expect(below.name).toBe(`Figure 5b, % committed below 0.9 at ${tau}`);
      expect([below.fitted, below.scale]).toEqual([100 * tau, 4]);
      expect(speed.target).toBeGreaterThan(1);
    }
    const eighth = found.filter(({ name }) => name.startsWith('Figure 8'));
    expect(eighth.map(({ name, fitted, scale }) => [name, fitted, scale])).toEqual(
      firstCommit.map((value, at) => [`Figure 8, position ${at + 1}`, value, 0.3]),
    );
    expect(eighth.every(({ target }) => target >= 1)).toBe(true);
    expect(found).toHaveLength(48);
  });

  it('was found by the shipped file: what it says of itself comes out again', () => {
    const { profiles, seed, cases, genLength, command } = processFile();
    const { evaluations, starts, ...run } = FIT_DEFAULTS;
    expect({ seed, cases, genLength }).toEqual(run);
    expect(command).toMatch(new RegExp(` --evaluations ${evaluations} --starts ${starts}$`));
    const own = stepsAt(parameters, null, { seed, cases });
    const steps = (name: string) => {
      const { shift, textTokens } = profiles[name];
      return stepsAt({ ...parameters, bias: parameters.bias + shift }, textTokens, { seed, cases });
    };
    for (const { task, steps: published } of PUBLISHED_TASKS)
      expect(Math.abs(steps(task) / published - 1), task).toBeLessThan(0.01);
    expect(steps('easy') / own).toBeCloseTo(Math.sqrt(68 / 97), 1);
    expect(steps('hard') / own).toBeCloseTo(Math.sqrt(97 / 68), 1);
  });

  it('has published figures of each task', () => {
    expect(PUBLISHED_TASKS.map(({ task, steps, accuracyPct }) => [task, steps, accuracyPct])).toEqual([
      ...[
        ['gsm8k', 72, 75.7],
        ['math', 97, 33.5],
        ['humaneval', 77, 38.4],
        ['mbpp', 68, 42.4],
      ],
    ]);
    const rows = PUBLISHED_FORWARDS.map(({ task, policy, changes, forwards, opens }) => [
      ...[task, policy, JSON.stringify(changes), forwards, opens],
    ]);
    const less = '{"commit.tau":0.75,"blockLength":64}';
    const factor = '{"commit.kind":"factor","commit.factor":0.75}';
    const frechet = '{"commit.kind":"frechet","commit.delta":0.25}';
    expect(rows).toEqual([
      ...[
        ['gsm8k', 86.4],
        ['math', 107.8],
        ['humaneval', 90.4],
        ['mbpp', 68.2],
      ].map(([task, forwards]) => [...[task, 'fast-dllm-dual', '{}', forwards, 0]]),
      ...[
        ['gsm8k', 56.9],
        ['math', 94.9],
        ['humaneval', 51.7],
        ['mbpp', 86.2],
      ].map(([task, forwards]) => [...[task, 'threshold', less, forwards, 0]]),
      ['gsm8k', 'threshold', factor, 59.9, 1],
      ['gsm8k', 'threshold', frechet, 55.3, 1],
      ['humaneval', 'threshold', factor, 64.3, 1],
      ['humaneval', 'threshold', frechet, 59.4, 1],
    ]);
  });
});

describe('a simplex in the plane', () => {
  it('finds the least of a bowl, and shrinks where nothing else helps', async () => {
    const bowl = ([x = 0, y = 0]: readonly number[]) => Promise.resolve((x - 1) ** 2 + 3 * (y + 2) ** 2);
    const { point, value, evaluations } = await nelderMead(bowl, [5, 5], [1, 2], 150);
    expect(point[0]).toBeCloseTo(1, 3);
    expect(point[1]).toBeCloseTo(-2, 3);
    expect(value).toBe(await bowl(point));
    expect(evaluations).toBeGreaterThanOrEqual(150);
    // Only the start is low: the simplex draws together around it, every other point half way to it.
    const asked: string[] = [];
    await nelderMead(
      (at) => {
        asked.push(at.join());
        return Promise.resolve(at.join() === '0,0' ? 0 : 1);
      },
      [0, 0],
      [4, 8],
      6,
    );
    expect(asked).toEqual(['0,0', '4,0', '0,8', '4,-8', '1,4', '2,0', '0,4']);
  });
});

describe('a recorded decode', () => {
  const record = async (policy: string, promptLength: number, changes = {}) => {
    const request = {
      policy: openPolicy(variant(policy, changes)),
      engine: new SyntheticEngine(parameters, { seed: 1, promptLength, textLength: 50 }) as Engine,
      promptIds: new Array<number>(promptLength).fill(0),
      genLength: 32,
    };
    const live = await decode(request);
    return { trace: traceOf(request, live), live, request };
  };
  const ask = (policy: string, changes: Partial<CaseRequest> = {}): CaseRequest => ({
    ...{ policy: openPolicy(variant(policy)), genLength: 32 },
    ...changes,
  });

  it('is played again: start, canvases, steps and tokens', async () => {
    const { trace, live } = await record('threshold', 6);
    const decider = new TraceDecider('trace:x', [trace, (await record('block-kv', 6)).trace]);
    expect(decider).toMatchObject({ kind: 'trace', engineName: null, defaultCases: 1, name: 'trace:x' });
    const states: string[] = [];
    const show = (canvas: { positions: readonly { state: string }[] }) =>
      canvas.positions.map(({ state }) => state).join('');
    const found = await decider.decode(
      0,
      ask('threshold', {
        onStart: (canvas) => void states.push(show(canvas), `${canvas.maskId} ${canvas.endIds}`),
        onStep: (_, canvas) => void states.push(show(canvas)),
      }),
    );
    expect(found).toMatchObject({ promptLength: 6, tokens: live.tokens, endIds: [END], answer: null });
    expect(found.steps).toEqual(live.steps);
    expect(states[0]).toBe(`${'S'.repeat(6)}${'IV'.repeat(32)}`);
    expect(states[1]).toBe(`${SYNTHETIC_CONFIG.maskId} ${END}`);
    expect(states).toHaveLength(live.steps.length + 2);
    expect(states.at(-1)).toBe(show(live.canvas));
    expect(decider.close()).toBeUndefined();
  });

  it('is timed anew by a clock that is given', async () => {
    const { trace } = await record('threshold', 6);
    let at = 0;
    const timer: StepTimer = { name: 'own', time: () => ({ startMs: at, endMs: ++at, completed: [] }) };
    const { steps } = await new TraceDecider('t', [trace]).decode(0, ask('threshold', { timer }));
    expect(steps.map(({ timing }) => timing?.endMs)).toEqual(steps.map((_, index) => index + 1));
  });

  it('serves the method and the length that it was recorded with, whatever they are called', async () => {
    const short = await record('threshold', 3);
    const long = await record('threshold', 9);
    const named = {
      ...short.trace,
      header: {
        ...short.trace.header,
        policy: { ...short.trace.header.policy, name: 'n', description: 'd', source: 's' },
      },
    };
    const decider = new TraceDecider('trace:y', [
      named as Trace,
      long.trace,
      (await record('block-kv', 9)).trace,
    ]);
    expect(decider.defaultCases).toBe(2);
    expect((await decider.decode(0, ask('threshold'))).promptLength).toBe(3);
    expect((await decider.decode(1, ask('threshold'))).promptLength).toBe(9);
    expect(decider.decisions(1)).toBe('recorded: 3 traces of synthetic, 1 prompt');
    expect(decider.decisions(2)).toBe('recorded: 3 traces of synthetic, 2 prompts');
    const refused = async (index: number, request: CaseRequest) => decider.decode(index, request);
    await expect(refused(0, ask('block-kv'))).rejects.toThrow(
      new UsageError('trace:y: no trace of case 1 under policy block-kv (recorded: n, threshold, block-kv)'),
    );
    await expect(refused(2, ask('threshold'))).rejects.toThrow(/no trace of case 3 under policy threshold/);
    await expect(refused(1, ask('threshold', { genLength: 64 }))).rejects.toThrow(
      new UsageError('trace:y: recorded with --gen-length 32, not 64'),
    );
    const { trace } = await record('threshold', 3, { 'commit.tau': 0.5 });
    await expect(async () => new TraceDecider('z', [trace]).decode(0, ask('threshold'))).rejects.toThrow(
      UsageError,
    );
  });

  it('lies in a file, or in a folder of them', async () => {
    const folder = join(temporaryDirectory(), 'traces');
    mkdirSync(folder);
    expect(() => traceFiles(folder)).toThrow(new UsageError(`no trace (*.jsonl) in ${folder}`));
    const { trace } = await record('threshold', 2);
    for (const name of ['b.jsonl', 'a.jsonl']) writeTrace(join(folder, name), trace);
    writeFileSync(join(folder, 'note.txt'), '');
    const files = ['a.jsonl', 'b.jsonl'].map((name) => join(folder, name));
    expect([...traceFiles(folder)].sort()).toEqual(files);
    expect(traceFiles(files[1])).toEqual([files[1]]);
    expect(readTrace(files[0]).tokens).toEqual(trace.tokens);
    expect(await deciderInputs(`trace:${folder}`)).toEqual({
      ...{
        [`trace ${files[0]}`]: await fileSha256(files[0]),
        [`trace ${files[1]}`]: await fileSha256(files[1]),
      },
    });
    expect(await deciderInputs('synthetic:easy')).toEqual({
      'confidence process': await fileSha256(processPath()),
    });
    expect(deciderInputs('synthetic:easy')).toBe(deciderInputs('synthetic:easy'));
  });

  it('is no recording where a step has no outcome', async () => {
    const { trace, request, live } = await record('llada.cpp', 4);
    const start = request.policy.start(request.promptIds, 32, trace.header.maskId, { endIds: [END] });
    const canvases = canvasesOf(request.policy, start, trace.steps);
    expect(canvases.at(-1)).toEqual(live.canvas);
    const steps = trace.steps.map((step, at) => (at === 1 ? { ...step, outcomes: [] } : step));
    expect(() => canvasesOf(request.policy, start, steps)).toThrow(
      new CheckError('step 1 of the recording has no outcome'),
    );
  });
});

describe('a model as a decider', () => {
  const questionsOf = async () => {
    const model = await openModel('tiny-llada');
    await model.weights.close();
    return model;
  };
  /** Says one text, whatever it is asked. */
  const saying = (tokens: readonly number[], config: Engine['config'], promptLength: number): Engine =>
    ({
      ...{ name: 'saying', config, retain() {}, readKv: () => ({ k: [], v: [] }), dispose() {} },
      run: async ({ rows, logits }: Parameters<Engine['run']>[0]) => {
        const said = new Float32Array(logits.length * config.vocab);
        logits.forEach((row, at) => {
          said[at * config.vocab + (tokens[rows[row].position - promptLength] ?? config.endIds[0])] = 30;
        });
        return { logits: said };
      },
    }) as Engine;

  it('answers held-out problems of its seed, and is judged by them', async () => {
    const { tokenizer, config } = await questionsOf();
    const problem = generateProblem(5, 3, 'hard', 'heldout');
    const promptIds = encodePrompt(tokenizer, problem.prompt);
    const right = tokenizer.encode(problem.response);
    const disposed: string[] = [];
    const engine = {
      ...saying(right, config, promptIds.length),
      dispose: () => void disposed.push('engine'),
    };
    const decider = new ModelDecider('m:hard', 5, engine, tokenizer, 'abcdef0123', { set: 'hard' });
    expect(decider).toMatchObject({ kind: 'model', set: 'hard', engineName: 'saying', defaultCases: 12 });
    expect(decider.trained).toBe(config);
    expect(decider.decisions(4)).toBe('m:hard (weights abcdef01) on 4 hard held-out problems of seed 5');
    expect(modelDecisions('m', '0123456789', 1, 2)).toBe(
      'm (weights 01234567) on 1 long held-out problems of seed 2',
    );
    expect(decider.problem(3)).toEqual(problem);
    const starts: number[] = [];
    const genLength = 64 * Math.ceil((right.length + 1) / 64);
    const found = await decider.decode(3, {
      ...{ policy: openPolicy(variant('threshold')), genLength },
      onStart: (canvas) => void starts.push(canvas.promptLength, canvas.genLength, ...canvas.endIds),
    });
    expect(starts).toEqual([promptIds.length, genLength, ...config.endIds]);
    expect(found.tokens.slice(0, right.length)).toEqual(right);
    expect(found.answer).toMatchObject({ exact: true });
    expect(found.answer?.tasks.length).toBeGreaterThan(0);
    expect(decider.judge(3, right)).toEqual(found.answer);
    expect(decider.judge(3, [...right, config.endIds[0], ...right])).toEqual(found.answer);
    expect(decider.judge(3, right.slice(1)).exact).toBe(false);
    expect(decider.judge(4, right).exact).toBe(false);
    decider.close();
    expect(disposed).toEqual(['engine']);
    const seen = await observe(decider, 3, { policy: openPolicy(variant('threshold')), genLength });
    expect(seen.denoise.length).toBeGreaterThan(0);
  });

  it('answers questions of a file, and fills in what it is given', async () => {
    const { tokenizer, config } = await questionsOf();
    const mask = config.maskId as number;
    const text = tokenizer.encode('sort a b c');
    const given = [mask, ...text.slice(1), config.endIds[0]];
    const asked = {
      ...{ promptIds: [config.bosId as number], given },
      judge: (tokens: readonly number[]) => ({ exact: tokens[0] === text[0], tasks: [] }),
    };
    const decider = new ModelDecider('m', 1, saying(text, config, 1), tokenizer, 'ab', {
      ...{ set: 'long', data: [asked] },
    });
    const lengths: number[] = [];
    const policy = openPolicy(variant('threshold', { blockLength: 4 }));
    const found = await decider.decode(0, {
      policy,
      genLength: 4,
      onStart: (canvas) => void lengths.push(canvas.genLength, canvas.given),
    });
    expect(lengths).toEqual([given.length + 4, given.length]);
    expect(found.tokens.slice(0, text.length)).toEqual(text);
    expect(found.answer?.exact).toBe(true);
    // One mask was filled in, and nothing was written behind the end: what was given is no work.
    const { counters } = await observe(decider, 0, { policy, genLength: 4 });
    expect([counters.textTokens, counters.tokens]).toEqual([1, 5]);
    expect(() => decider.judge(1, [])).toThrow(new UsageError('there is no question 1: the data has 1'));
  });

  it('is asked what a file says, framed and judged as it is told', async () => {
    const model = await questionsOf();
    const path = join(temporaryDirectory(), 'data.jsonl');
    writeFileSync(path, '{"prompt": "sort b a", "answer": "a b"}\n{"prompt": "sort [] a", "answer": "7"}\n');
    const [first, second] = dataQuestions(path, model, { template: 'none', maskToken: '[]' });
    expect(first).toMatchObject({ prompt: 'sort b a', answer: 'a b' });
    expect(first.promptIds).toEqual(model.tokenizer.encode('sort b a'));
    expect(first.given).toBeUndefined();
    const words = model.tokenizer.encode('a b');
    expect(first.judge(words)).toEqual({ exact: true, tasks: [{ kind: 'answer', correct: true }] });
    expect(first.judge(model.tokenizer.encode('b'))).toEqual({
      ...{ exact: false, tasks: [{ kind: 'answer', correct: false }] },
    });
    expect(second.given?.[0]).toBe(model.config.maskId);
    expect(second.text(words)).toBe(model.tokenizer.decode([...second.promptIds, ...words]).trim());
    expect(second.text(words)).toMatch(/^sort .*a b$/);
    expect(dataQuestions(path, model, { scorer: 'exact' })[1].scorer).toBe('exact');
    expect(dataQuestions(path, model, {})[0].promptIds).not.toEqual(first.promptIds.slice(0, 1));
    writeFileSync(path, '{"prompt": "a", "answer": "b"}\n{"prompt": "a"}\n');
    expect(() => dataQuestions(path, model, {})).toThrow(
      new UsageError(`${path}: question 1 has no "answer" or "target" to be scored against`),
    );
  });

  it('is asked texts with masks, each draw with others', async () => {
    const { tokenizer, config } = await questionsOf();
    const path = join(temporaryDirectory(), 'texts.txt');
    writeFileSync(path, 'sort a b c\nadd 1 2\n');
    const how = { share: 0.5, draws: 2, seed: 3 };
    const questions = maskedQuestions(path, { config, tokenizer }, how);
    const expected = ['sort a b c', 'add 1 2'].flatMap((text) =>
      [0, 1].map((draw) => maskText(config, tokenizer, text, { share: 0.5, draw, seed: 3 })),
    );
    expect(questions.map(({ promptIds, given }) => [promptIds, given])).toEqual(
      expected.map(({ promptIds, given }) => [promptIds, given]),
    );
    expect(new Set(expected.slice(0, 2).map(({ masked }) => masked.join())).size).toBe(2);
    const { truth, masked } = expected[0];
    expect(questions[0].judge(truth).tasks).toEqual(masked.map(() => ({ kind: 'token', correct: true })));
    expect(questions[0].judge([])).toMatchObject({ exact: false });
  });

  it('has problems that are chosen by seed, first and number', async () => {
    const { model, spec, problems } = await openProblems({
      ...{ policy: 'threshold', model: 'tiny-llada', seed: 2, firstCase: 5, cases: 2, blockLength: 16 },
    });
    await model.weights.close();
    expect([spec.name, spec.blockLength]).toEqual(['threshold', 16]);
    expect(problems.map(({ index }) => index)).toEqual([5, 6]);
    expect(problems.map(({ problem }) => problem)).toEqual(
      [5, 6].map((index) => generateProblem(2, index, 'long', 'heldout')),
    );
    expect(problems[1].promptIds).toEqual(encodePrompt(model.tokenizer, problems[1].problem.prompt));
    expect(heldoutProblems(model, 2, 6, 1)).toEqual(problems.slice(1));
  });
});
