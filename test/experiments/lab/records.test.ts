import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalJson, contentHash } from '../../../experiments/lab/canonical.js';
import { diffRuns } from '../../../experiments/lab/diff.js';
import { formatRuns } from '../../../experiments/lab/format-runs.js';
import { mergeStores } from '../../../experiments/lab/merge.js';
import { RUN_SCHEMA, type RunRecord, runHash } from '../../../experiments/lab/record.js';
import { type Circumstances, formatRecord, ResultStore } from '../../../experiments/lab/store.js';
import { flatten, runRow, runTable } from '../../../experiments/lab/table.js';
import { CheckError, DataError, EnvironmentError, UsageError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const CODE = 'c'.repeat(64);
const circumstances: Circumstances = {
  ...{ finishedAt: '2026-01-02T03:04:05.678Z', seconds: 1.25, node: 'v20', host: 'here', gitCommit: 'abc' },
};
function record(config: RunRecord['config'], changes: Partial<RunRecord> = {}): RunRecord {
  const identity = { kind: 'step', config, inputs: { 'profile x': 'd'.repeat(64) }, code: CODE };
  return {
    ...{ schema: RUN_SCHEMA, hash: runHash(identity), ...identity, version: '1.2.3' },
    ...{ outcome: 'done', metrics: { ms: 2, joules: null } },
    ...changes,
  };
}

let store: ResultStore;
beforeEach(() => {
  store = new ResultStore(join(temporaryDirectory(), 'deep', 'results'));
});
const fileOf = ({ hash }: RunRecord) => join(store.results, 'runs', hash.slice(0, 2), `${hash}.json`);
const indexPath = () => join(store.results, 'runs', 'index.jsonl');

describe('the address of a run', () => {
  it('is the SHA-256 of kind, options, inputs and code, and of nothing else', () => {
    const run = record({ b: 1, a: [2] });
    const { hash, kind, config, inputs, code } = run;
    expect(hash).toBe(contentHash({ kind, config, inputs, code }));
    const text = `{"code":"${CODE}","config":{"a":[2],"b":1},"inputs":{"profile x":"${'d'.repeat(64)}"},"kind":"step"}`;
    expect(canonicalJson({ kind, config, inputs, code })).toBe(text);
    expect(runHash({ ...run, metrics: {}, version: '9' } as RunRecord)).toBe(hash);
    for (const other of [{ kind: 'decode' }, { config: {} }, { inputs: {} }, { code: 'e'.repeat(64) }])
      expect(runHash({ ...run, ...other })).not.toBe(hash);
  });

  it('sorts keys at every depth, keeps lists, and drops what is undefined', () => {
    expect(canonicalJson({ b: { d: 1, c: null }, a: [3, { z: 0, y: undefined }] })).toBe(
      '{"a":[3,{"z":0}],"b":{"c":null,"d":1}}',
    );
    expect(contentHash('a')).toBe('ac8d8342bbb2362d13f0a559a3621bb407011368895164b628a54f7fc33fc43c');
  });
});

describe('a store', () => {
  it('keeps a run in a file of its own, and a line that says when and where', () => {
    const run = record({ rows: 1 });
    expect(existsSync(store.directory)).toBe(false);
    expect([store.has(run.hash), store.hashes(), store.index()]).toEqual([false, [], []]);
    store.add(run, circumstances);
    expect(store.directory).toBe(join(store.results, 'runs'));
    expect(readFileSync(fileOf(run), 'utf8')).toBe(`${JSON.stringify(run, null, 1)}\n`);
    expect(store.bytes(run.hash)).toBe(formatRecord(run));
    expect(store.read(run.hash)).toEqual(run);
    expect(store.has(run.hash)).toBe(true);
    const { hash, kind, outcome, code, config } = run;
    const line = { hash, kind, outcome, code, config, ...circumstances };
    expect(readFileSync(indexPath(), 'utf8')).toBe(`${JSON.stringify(line)}\n`);
    expect(store.index()).toEqual([line]);
  });

  it('lists its runs by hash and its index by time, and takes no other file for a run', () => {
    const runs = [1, 2, 3, 4, 5].map((rows) => record({ rows }));
    for (const run of runs) store.add(run, circumstances);
    const sorted = runs.map(({ hash }) => hash).sort();
    expect(store.hashes()).toEqual(sorted);
    for (const name of [
      `${'a'.repeat(63)}.json`,
      `${'a'.repeat(64)}.json.tmp`,
      `x${'a'.repeat(64)}.json`,
      'G.json',
    ])
      writeFileSync(join(store.directory, sorted[0].slice(0, 2), name), '{}');
    writeFileSync(join(store.directory, `${'b'.repeat(64)}.json`), '{}');
    expect(store.hashes()).toEqual(sorted);
    expect(store.index().map(({ hash }) => hash)).toEqual(runs.map(({ hash }) => hash));
  });

  it('gives a run without a line one that knows nothing of when, behind the others', () => {
    const [first, second] = [record({ rows: 1 }), record({ rows: 2 })];
    store.add(first, circumstances);
    const before = readFileSync(indexPath(), 'utf8');
    store.add(second, circumstances);
    writeFileSync(indexPath(), before);
    const unknown = { finishedAt: null, seconds: null, node: null, host: null, gitCommit: null };
    const lines = store.index();
    expect(lines.map(({ hash }) => hash)).toEqual([first.hash, second.hash]);
    expect(lines[1]).toEqual({
      ...{ hash: second.hash, kind: 'step', outcome: 'done', code: CODE, config: { rows: 2 } },
      ...unknown,
    });
    // Appended, not written anew; and once.
    const mended = `${before}${JSON.stringify(lines[1])}\n`;
    expect(readFileSync(indexPath(), 'utf8')).toBe(mended);
    store.index();
    expect(readFileSync(indexPath(), 'utf8')).toBe(mended);
  });

  it.each([
    ['a line that is no JSON', 'nonsense\n'],
    ['a line that is no run', '{"hash":"1"}\n'],
    ['an end without a line break', '{'],
  ])('writes an index with %s anew', (_, damage) => {
    const run = record({ rows: 1 });
    store.add(run, circumstances);
    const own = readFileSync(indexPath(), 'utf8');
    appendFileSync(indexPath(), damage);
    expect(store.index().map(({ hash }) => hash)).toEqual([run.hash]);
    expect(readFileSync(indexPath(), 'utf8')).toBe(own);
  });

  it('leaves an index alone that is in step, and one that is empty', () => {
    const inode = () => statSync(indexPath()).ino;
    expect(store.index()).toEqual([]);
    expect(existsSync(store.directory)).toBe(false);
    mkdirSync(store.directory, { recursive: true });
    expect(store.index()).toEqual([]);
    expect(existsSync(indexPath())).toBe(false);
    writeFileSync(indexPath(), '');
    const empty = inode();
    expect(store.index()).toEqual([]);
    expect(inode()).toBe(empty);
    store.add(record({ rows: 1 }), circumstances);
    store.index();
    expect(inode()).toBe(empty);
  });

  it('writes it anew without the line of a run that is gone, and with an end that was cut off', () => {
    const runs = [1, 2, 3].map((rows) => record({ rows }));
    for (const run of runs) store.add(run, circumstances);
    const before = statSync(indexPath()).ino;
    rmSync(fileOf(runs[1]));
    expect(store.index().map(({ hash }) => hash)).toEqual([runs[0].hash, runs[2].hash]);
    expect(readFileSync(indexPath(), 'utf8').trim().split('\n')).toHaveLength(2);
    expect(statSync(indexPath()).ino).not.toBe(before);
    // A whole line whose line break was lost: the next one does not stand behind it.
    const text = readFileSync(indexPath(), 'utf8');
    store.add(runs[1], circumstances);
    writeFileSync(indexPath(), text.trimEnd());
    expect(store.index()).toHaveLength(3);
    const lines = readFileSync(indexPath(), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).hash)).toEqual([runs[0].hash, runs[2].hash, runs[1].hash]);
  });

  it.runIf(existsSync('/proc/self/fd'))('closes its index behind itself', () => {
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let rows = 0; rows < 20; rows++) store.add(record({ rows }), circumstances);
    expect(open()).toBeLessThan(before + 10);
  });

  it('does not mind a temporary file that another process has just put in its place', () => {
    store.add(record({ rows: 1 }), circumstances);
    symlinkSync('gone', join(store.directory, 'x.tmp'));
    expect(() => store.sweepOut(Date.now() + 1e9)).not.toThrow();
  });

  it('is shared by two who write: each sees the runs of the other', () => {
    const other = new ResultStore(store.results);
    const runs = [1, 2, 3, 4].map((rows) => record({ rows }));
    runs.forEach((run, at) => {
      (at % 2 === 0 ? store : other).add(run, circumstances);
    });
    for (const each of [store, other])
      expect(each.index().map(({ hash }) => hash)).toEqual(runs.map(({ hash }) => hash));
    expect(other.read(runs[0].hash)).toEqual(runs[0]);
  });

  it('has the file before the line: what cannot be listed is not lost', () => {
    mkdirSync(indexPath(), { recursive: true });
    const run = record({ rows: 1 });
    expect(() => store.add(run, circumstances)).toThrow(EnvironmentError);
    expect(() => store.add(run, circumstances)).toThrow(`cannot write ${indexPath()}: `);
    expect(store.read(run.hash)).toEqual(run);
  });

  it('says which run there is not, and which of several is meant', () => {
    expect(() => store.bytes('ab')).toThrow(new UsageError(`no run ab in ${store.directory}`));
    expect(() => store.read('ab')).toThrow(new UsageError(`no run ab in ${store.directory}`));
    const runs = Array.from({ length: 40 }, (_, rows) => record({ rows }));
    for (const run of runs) store.add(run, circumstances);
    expect(store.hashes()).toEqual(runs.map(({ hash }) => hash).sort());
    const [one] = store.hashes();
    expect(store.find(one).hash).toBe(one);
    expect(() => store.find('xyz')).toThrow(new UsageError(`no run xyz in ${store.directory}`));
    const some = store
      .hashes()
      .slice(0, 3)
      .map((hash) => hash.slice(0, 12));
    expect(() => store.find('')).toThrow(new UsageError(`40 runs begin with : ${some.join(', ')} ...`));
  });

  it.each<[string, (run: RunRecord) => string, string]>([
    ['that is no JSON', () => '{', 'not JSON; delete the file and run the sweep again'],
    [
      'with a key too many',
      (run) => JSON.stringify({ ...run, more: 1 }),
      'not a run: file: Unrecognized key',
    ],
    ['without a key', ({ version: _, ...run }) => JSON.stringify(run), 'not a run: version: Invalid input'],
    [
      'of a hash that is none',
      (run) => JSON.stringify({ ...run, inputs: { x: 'AB' } }),
      'not a run: inputs.x: must be a lower-case SHA-256',
    ],
    [
      'that says it is another run',
      (run) => JSON.stringify({ ...run, hash: '0'.repeat(64) }),
      'its content is not the run its name says; delete the file and run again',
    ],
    [
      'that was changed under its name',
      (run) => JSON.stringify({ ...run, config: { rows: 2 } }),
      'its content is not the run its name says; delete the file and run again',
    ],
  ])('refuses a file %s', (_, text, message) => {
    const run = record({ rows: 1 });
    store.add(run, circumstances);
    writeFileSync(fileOf(run), text(run));
    const read = () => store.read(run.hash);
    expect(read).toThrow(DataError);
    expect(read).toThrow(`${fileOf(run)}: ${message}`);
  });
});

describe('stores that are merged', () => {
  it('keep when and where each run was made, and nothing where nobody knows', () => {
    const other = new ResultStore(temporaryDirectory());
    const [known, both, bare] = [1, 2, 3].map((rows) => record({ rows }));
    other.add(known, circumstances);
    other.add(both, { ...circumstances, host: 'there' });
    store.add(both, circumstances);
    // A file that a kill left without a line.
    const path = join(other.directory, bare.hash.slice(0, 2));
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `${bare.hash}.json`), formatRecord(bare));
    expect(mergeStores(store, [other, other])).toEqual({ added: 2, equal: 4 });
    const line = (run: RunRecord) => store.index().find(({ hash }) => hash === run.hash);
    const added = store
      .index()
      .map(({ hash }) => hash)
      .filter((hash) => hash !== both.hash);
    expect(added).toEqual([...added].sort());
    expect(line(known)).toMatchObject(circumstances);
    expect(line(both)).toMatchObject({ host: 'here' });
    expect(line(bare)).toMatchObject({
      finishedAt: null,
      seconds: null,
      node: null,
      host: null,
      gitCommit: null,
    });
  });

  it('are refused where one run has two results, which are both kept', () => {
    const other = new ResultStore(temporaryDirectory());
    const run = record({ rows: 1 });
    store.add(run, circumstances);
    other.add({ ...run, metrics: { ms: 3 } }, circumstances);
    expect(() => mergeStores(store, [other])).toThrow(
      new CheckError(
        `run ${run.hash} has two results: ${store.directory} and ${other.directory} differ (see \`results diff\`)`,
      ),
    );
    expect([store.read(run.hash).metrics.ms, other.read(run.hash).metrics.ms]).toEqual([2, 3]);
  });
});

describe('a run as a row', () => {
  it('has a column for each option, entry and metric', () => {
    const run = record({
      rows: 1,
      list: [1, 'a'],
      on: true,
      none: null,
      deep: { a: { b: 'x' }, e: {} },
      'p.q': 2,
    });
    expect(runRow(run)).toEqual({
      ...{ hash: run.hash, kind: 'step', outcome: 'done', code: CODE },
      ...{ 'config.rows': 1, 'config.list': '[1,"a"]', 'config.on': true, 'config.none': null },
      ...{ 'config.deep.a.b': 'x', 'config.p.q': 2, ms: 2, joules: null },
    });
    const refused = record({ rows: 1 }, { outcome: 'refused', metrics: {}, reason: 'too small' });
    expect(runRow(refused)).toMatchObject({ outcome: 'refused', reason: 'too small' });
    expect(flatten('x', [])).toEqual({ x: '[]' });
    expect(flatten('x', {})).toEqual({});
  });

  it('stands under the columns of all runs, in the order in which they come up', () => {
    const runs = [record({ a: 1 }), record({ b: 2 }, { metrics: { s: 3 } })];
    expect(runTable(runs)).toEqual({
      columns: ['hash', 'kind', 'outcome', 'code', 'config.a', 'ms', 'joules', 'config.b', 's'],
      rows: [
        [runs[0].hash, 'step', 'done', CODE, 1, 2, null, null, null],
        [runs[1].hash, 'step', 'done', CODE, null, null, null, 2, 3],
      ],
    });
    expect(runTable([])).toEqual({ columns: ['hash', 'kind', 'outcome', 'code'], rows: [] });
  });

  it('is written as JSON Lines whole, and as CSV with the columns that are wanted', () => {
    const runs = [record({ a: 1 }), record({ a: 2 })];
    expect(formatRuns('jsonl', runs)).toBe(runs.map((run) => `${JSON.stringify(run)}\n`).join(''));
    expect(formatRuns('csv', runs, ['config.a', 'kind'])).toBe('config.a,kind\n1,step\n2,step\n');
    expect(String(formatRuns('csv', runs)).split('\n')[0]).toBe('hash,kind,outcome,code,config.a,ms,joules');
    expect(formatRuns('parquet', runs, ['ms'])).toBeInstanceOf(Uint8Array);
    expect(() => formatRuns('parquet', runs, ['mss'])).toThrow('unknown column "mss": did you mean ms?');
  });
});

describe('what two runs do not share', () => {
  it('is named, with what each has, and the ratio of numbers', () => {
    const a = record({ rows: 2, policy: 'x', zero: 0 });
    const b = record({ rows: 3, policy: 'y', zero: 1, more: 5 }, { metrics: { ms: 3, joules: 1 } });
    expect(diffRuns(a, { ...b, kind: 'decode', code: 'e'.repeat(64), inputs: {} })).toEqual({
      asked: [
        { name: 'kind', a: 'step', b: 'decode', ratio: null },
        { name: 'code', a: CODE, b: 'e'.repeat(64), ratio: null },
        { name: 'config.rows', a: 2, b: 3, ratio: 1.5 },
        { name: 'config.policy', a: 'x', b: 'y', ratio: null },
        { name: 'config.zero', a: 0, b: 1, ratio: null },
        { name: 'inputs.profile x', a: 'd'.repeat(64), b: null, ratio: null },
        { name: 'config.more', a: null, b: 5, ratio: null },
      ],
      found: [
        { name: 'ms', a: 2, b: 3, ratio: 1.5 },
        { name: 'joules', a: null, b: 1, ratio: null },
      ],
    });
    expect(diffRuns(record({}), record({}, { metrics: {} })).found).toEqual([
      { name: 'ms', a: 2, b: null, ratio: null },
    ]);
    const refused = record({}, { outcome: 'refused', metrics: {}, reason: 'no' });
    expect(diffRuns(record({}), refused).found.slice(0, 2)).toEqual([
      { name: 'outcome', a: 'done', b: 'refused', ratio: null },
      { name: 'reason', a: null, b: 'no', ratio: null },
    ]);
  });
});
