import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readResult } from '../../experiments/comparison/result.js';
import { parseDecider } from '../../experiments/lab/deciders/name.js';
import { RUN_SCHEMA, type RunRecord, runHash } from '../../experiments/lab/record.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { parseSweep } from '../../experiments/lab/sweep-file.js';
import { parseSummary } from '../../experiments/studies/ladder/summary-file.js';
import { parseTrajectory } from '../../experiments/trajectories/trajectory.js';
import { parseProfile } from '../../sim/hardware/load-profile.js';
import { parseKernel } from '../../sim/kernel/parse.js';
import { stackByName } from '../../sim/stacks/registry.js';
import { parsePublished } from '../../sim/validation/published.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { POLICY_SPECS, policyByName, policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { parseTrace, traceOf, writeTrace } from '../../src/decode/trace/trace.js';
import { DataError } from '../../src/errors.js';
import { readDataFile } from '../../src/score/data-file.js';
import { openTaskFile } from '../../src/train/task-file.js';
import { parseCsv } from '../../src/util/csv.js';
import { project } from '../../src/util/project-root.js';
import { parseJson } from '../../src/util/read-file.js';
import { ToyEngine } from '../decode/support/toy-engine.js';
import { damaged } from '../support/damaged-text.js';
import { readsOrRefuses, reportDraws } from '../support/reader-limits.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

/** Cases a reader; `npm run fuzz` raises it. */
const RUNS = Math.ceil(Number(process.env.DLLM_FUZZ_RUNS ?? 100));

const { root } = project();
const directory = temporaryDirectory();
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');
/** A reader of paths as one of texts. */
const fromFile = (name: string, read: (path: string) => unknown) => (text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return read(path);
};

async function oneTrace(): Promise<string> {
  const policy = composePolicy({ ...policySpecByName('llada.cpp'), blockLength: 4 });
  const request = { policy, engine: new ToyEngine({ seed: 1 }), promptIds: [1, 2], genLength: 8 };
  const path = join(directory, 'trace.jsonl');
  writeTrace(path, traceOf(request, await decode(request)));
  return readFileSync(path, 'utf8');
}

/** The reference summary without its pictures, which are most of it. */
function smallSummary(): string {
  const summary = JSON.parse(textOf('results/reference/ablation/summary.json')) as Record<string, unknown>;
  return JSON.stringify({ ...summary, carpet: [], timeline: [] });
}

/** A stored run, and what reads its file back. */
const store = new ResultStore(join(directory, 'results'));
const identity = { kind: 'step', config: { rows: 1 }, inputs: {}, code: 'b'.repeat(64) };
const record: RunRecord = {
  ...{ schema: RUN_SCHEMA, hash: runHash(identity), ...identity, version: '1' },
  ...{ outcome: 'done' as const, metrics: { seconds: 1 }, detail: {} },
};
store.add(record, { finishedAt: null, seconds: null, node: null, host: null, gitCommit: null });
const readRun = (text: string): unknown => {
  writeFileSync(join(store.directory, record.hash.slice(0, 2), `${record.hash}.json`), text);
  return store.read(record.hash);
};

const indexed = new ResultStore(join(directory, 'indexed'));
indexed.add(record, { finishedAt: null, seconds: null, node: null, host: null, gitCommit: null });
const readIndex = (text: string): unknown => {
  writeFileSync(join(indexed.directory, 'index.jsonl'), text);
  return indexed.index();
};

const pairs = ['owl', 'elk', 'ant', 'cat', 'dog', 'hen'].map((a) =>
  JSON.stringify({ question: a, answer: `${a} ${a}` }),
);
writeFileSync(join(directory, 'pairs.jsonl'), pairs.join('\n'));

/** Every reader of what a user may bring, with texts that it reads. */
const READERS: readonly (readonly [string, (text: string) => unknown, readonly string[]])[] = [
  [
    'policy',
    (text) => parsePolicySpec(parseJson(text, 'policy')),
    POLICY_SPECS.map((spec) => JSON.stringify(spec)),
  ],
  [
    'sweep',
    (text) => parseSweep(parseJson(text, 'sweep'), 'sweep'),
    [
      '{"schema":"dllm-npu/sweep@1","kind":"step","base":{"costModel":"llada-8b"},"axes":{"rows":{"from":1,"to":8},"memory":["somr","unlimited"]}}',
    ],
  ],
  ['trace', parseTrace, [await oneTrace()]],
  ['profile', (text) => parseProfile(text, 'profile'), [textOf('sim/hardware/profiles/sm8750.json')]],
  ['stack', fromFile('stack.json', stackByName), [textOf('sim/stacks/llada.cpp.json')]],
  ['summary', (text) => parseSummary(parseJson(text, 'summary'), 'summary'), [smallSummary()]],
  ['result', fromFile('result.json', readResult), [textOf('results/reference/reproduce/table2/result.json')]],
  [
    'data file',
    fromFile('data.jsonl', readDataFile),
    [
      '{"question":"a","answer":"#### 3"}\n{"prompt":"b","target":"c"}\n',
      '{"messages":[{"role":"user","content":"x"}],"answer":"y"}\n',
    ],
  ],
  ['published kernels', (text) => parsePublished(text, 'csv'), [textOf('sim/validation/published-open.csv')]],
  ['table', parseCsv, ['a,b\n"1, 2","say ""x"""\n3,\n']],
  ['stored run', readRun, [JSON.stringify(record)]],
  [
    'index of the results',
    readIndex,
    [readFileSync(join(indexed.directory, 'index.jsonl'), 'utf8').repeat(2)],
  ],
  [
    'task',
    fromFile('task.json', openTaskFile),
    ['{"name":"t","data":"pairs.jsonl","heldOut":0.2,"canvas":32}', '{"name":"t","data":"pairs.jsonl"}'],
  ],
  [
    'trajectory',
    (text) => parseTrajectory(text, 'line 1'),
    ['{"promptTokens":1,"maskId":9,"initial":true,"history":[[1,9,9],[1,2,9],[1,2,3]]}'],
  ],
  ['operator', parseKernel, ['MUL_MAT m2048 k8192 n2', 'FLASH_ATTN_EXT d64 h32 kv8 nq1 nkv256']],
  ['decider', parseDecider, ['synthetic:hard,prompt=3', 'tiny-llada:hard', 'trace:a.jsonl']],
];

describe('a damaged file is read, or refused with a message for its user, never anything else (property)', () => {
  afterAll(reportDraws);
  it.each(READERS)('%s', async (name, read, texts) => {
    for (const text of texts) await read(text);
    await fc.assert(
      fc.asyncProperty(damaged(texts), (text) => readsOrRefuses(name, () => read(text))),
      { numRuns: RUNS },
    );
    expect(({} as Record<string, unknown>).value).toBeUndefined();
  });
});

describe('an engine that gives no numbers', () => {
  it.each(POLICY_SPECS.map(({ name }) => name))('%s: ends with what is wrong', async (name) => {
    const toy = new ToyEngine({ seed: 1 });
    const broken = {
      ...{ name: 'broken', config: toy.config, retain: () => {} },
      run: async (pass: Parameters<typeof toy.run>[0]) => {
        const { logits } = await toy.run(pass);
        return { logits: logits.map(() => Number.NaN) };
      },
    } as unknown as typeof toy;
    const { blockLength } = policyByName(name).spec;
    const policy = composePolicy({ ...policySpecByName(name), blockLength: Math.min(blockLength, 8) });
    const ends = decode({ policy, engine: broken, promptIds: [1], genLength: policy.spec.blockLength });
    await expect(ends).rejects.toThrow(/hold NaN at token/);
    await expect(ends).rejects.toBeInstanceOf(DataError);
  });
});
