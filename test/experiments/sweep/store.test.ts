import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { beforeEach, describe, expect, it } from 'vitest';
import { diffRuns } from '../../../experiments/lab/diff.js';
import { mergeStores } from '../../../experiments/lab/merge.js';
import { formatParquet } from '../../../experiments/lab/parquet.js';
import { planRuns } from '../../../experiments/lab/plan.js';
import { makeRuns } from '../../../experiments/lab/runner.js';
import { selectRuns } from '../../../experiments/lab/select-runs.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { parseSweep, SWEEP_SCHEMA } from '../../../experiments/lab/sweep-file.js';
import { runTable } from '../../../experiments/lab/table.js';
import { CheckError, DataError, UsageError } from '../../../src/errors.js';
import { formatCsv, parseCsv } from '../../../src/util/csv.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const SMALL = { costModel: 'tinyllama-1.1b' };
let store: ResultStore;
beforeEach(() => {
  store = new ResultStore(temporaryDirectory());
});

const runs = (rows: readonly number[]) =>
  planRuns(
    'step',
    rows.map((count) => ({ ...SMALL, rows: count })),
  );
const filled = async (rows: readonly number[]) => {
  const planned = await runs(rows);
  await makeRuns(planned, store, { jobs: 0 });
  return planned;
};
const indexPath = () => join(store.directory, 'index.jsonl');
const runFile = (hash: string) => join(store.directory, hash.slice(0, 2), `${hash}.json`);

describe('runs that are meant', () => {
  const meant = async (filter: Partial<Parameters<typeof selectRuns>[1]>) =>
    (await selectRuns(store, { where: [], refused: false, anyCode: false, ...filter })).map(
      ({ config }) => config.rows,
    );

  it('are those of this code that meet every condition', async () => {
    await filled([1, 2, 3]);
    expect(await meant({})).toEqual([1, 2, 3]);
    expect(await meant({ kind: 'step' })).toEqual([1, 2, 3]);
    expect(await meant({ kind: 'decode' })).toEqual([]);
    expect(await meant({ where: ['rows=2'] })).toEqual([2]);
    expect(await meant({ where: ['rows=2', 'costModel=tinyllama-1.1b'] })).toEqual([2]);
    expect(await meant({ where: ['rows=2', 'rows=3'] })).toEqual([]);
    expect(await meant({ refused: true })).toEqual([]);
    await expect(meant({ where: ['rows'] })).rejects.toThrow('--where takes option=value, got "rows"');
  });

  it('are of other versions of the code only where asked for', async () => {
    await filled([1]);
    const [line] = store.index();
    writeFileSync(indexPath(), `${JSON.stringify({ ...line, code: '0'.repeat(line!.code.length) })}\n`);
    expect(await meant({})).toEqual([]);
    expect(await meant({ anyCode: true })).toEqual([1]);
  });
});

describe('a range of a sweep', () => {
  const range = (axis: object) =>
    parseSweep({ schema: SWEEP_SCHEMA, kind: 'step', axes: { rows: axis } }, 'file.json');

  it('goes upwards, by one of step, factor and count', () => {
    expect(() => range({ from: 1, to: 1 })).not.toThrow();
    expect(() => range({ from: 1, to: 4, step: 1 })).not.toThrow();
    for (const wrong of [
      { from: 2, to: 1 },
      { from: 1, to: 4, step: 1, factor: 2 },
      { from: 1, to: 4, count: 2, factor: 2 },
      { from: 0, to: 4, factor: 2 },
    ])
      expect(() => range(wrong), JSON.stringify(wrong)).toThrow(DataError);
    expect(() => range({ from: 2, to: 1 })).toThrow(/^file\.json: axes\.rows: /);
    expect(() => parseSweep(7, 'file.json')).toThrow(/^file\.json: sweep: /);
  });
});

describe('result store', () => {
  it('makes each run once', async () => {
    const planned = await runs([1, 2, 3]);
    expect(await makeRuns(planned.slice(0, 2), store, { jobs: 0 })).toMatchObject({ found: 0, done: 2 });
    const seen: number[] = [];
    const again = await makeRuns(planned, store, { jobs: 0, onProgress: (done) => seen.push(done) });
    expect(again).toMatchObject({ found: 2, done: 1, failed: [] });
    expect(seen).toEqual([0, 1]);
    expect(store.index().map(({ hash }) => hash)).toEqual(planned.map(({ hash }) => hash));
    expect(store.index().every(({ seconds, node }) => seconds !== null && node === process.version)).toBe(
      true,
    );
  });

  it('gives the same bytes every time', async () => {
    const planned = await filled([4]);
    const other = new ResultStore(temporaryDirectory());
    await makeRuns(planned, other, { jobs: 0 });
    expect(other.bytes(planned[0]!.hash)).toBe(store.bytes(planned[0]!.hash));
    expect(store.read(planned[0]!.hash).metrics.ms).toBeGreaterThan(0);
  });

  it('keeps a combination that cannot run as refused, with the reason', async () => {
    const planned = await planRuns('step', [
      { ...SMALL, costModel: 'llada-8b', profileNumbers: { 'window.bytes': '16 MiB' } },
    ]);
    expect(await makeRuns(planned, store, { jobs: 0 })).toMatchObject({ done: 1, refused: 1 });
    expect(store.read(planned[0]!.hash).reason).toMatch(/window/);
    expect(await makeRuns(planned, store, { jobs: 0 })).toMatchObject({ found: 1, done: 0 });
    await filled([1]);
    const meant = async (refused: boolean) =>
      (await selectRuns(store, { where: [], refused, anyCode: false })).map(({ hash }) => hash);
    expect(await meant(true)).toEqual([planned[0]!.hash]);
    expect(await meant(false)).toHaveLength(2);
  });

  it('mends an index that a kill cut off, and adds lines for files without one', async () => {
    const planned = await filled([1, 2, 3]);
    const [first, second] = readFileSync(indexPath(), 'utf8').split('\n');
    writeFileSync(indexPath(), `${first}\n${second!.slice(0, 30)}`);
    const lines = store.index();
    expect(lines.map(({ hash }) => hash).sort()).toEqual(planned.map(({ hash }) => hash).sort());
    expect(lines.filter(({ seconds }) => seconds === null)).toHaveLength(2);
    expect(readFileSync(indexPath(), 'utf8').trimEnd().split('\n')).toHaveLength(3);
    rmSync(indexPath());
    expect(store.index()).toHaveLength(3);
  });

  it('drops lines of runs that were deleted, and lines written twice', async () => {
    const planned = await filled([1, 2]);
    appendFileSync(indexPath(), readFileSync(indexPath(), 'utf8'));
    rmSync(runFile(planned[0]!.hash));
    expect(store.index().map(({ hash }) => hash)).toEqual([planned[1]!.hash]);
    expect(readFileSync(indexPath(), 'utf8').trimEnd().split('\n')).toHaveLength(1);
  });

  it('keeps the first of two lines of a run, and the other is gone from the file', async () => {
    await filled([1]);
    const own = readFileSync(indexPath(), 'utf8');
    appendFileSync(indexPath(), own.replace(/"seconds":[^,}]+/, '"seconds":12345'));
    expect(store.index().map(({ seconds }) => seconds)).not.toContain(12345);
    expect(readFileSync(indexPath(), 'utf8')).toBe(own);
  });

  it('refuses a file whose content is not the run its name says', async () => {
    const [run] = await filled([1]);
    const path = runFile(run!.hash);
    writeFileSync(path, readFileSync(path, 'utf8').replace('"rows": 1', '"rows": 2'));
    expect(() => store.read(run!.hash)).toThrow(DataError);
    writeFileSync(path, '{');
    expect(() => store.read(run!.hash)).toThrow(/not JSON/);
  });

  it('removes what killed writers left, but nothing that is being written', async () => {
    const [run] = await filled([1]);
    const directory = join(store.directory, run!.hash.slice(0, 2));
    for (const name of ['.old.tmp', '.new.tmp']) writeFileSync(join(directory, name), '');
    utimesSync(join(directory, '.old.tmp'), 0, 0);
    store.sweepOut();
    expect(readdirSync(directory).sort()).toEqual(['.new.tmp', `${run!.hash}.json`]);
  });

  it('leaves a temporary file alone for a minute, to the millisecond', async () => {
    const [run] = await filled([1]);
    const path = join(store.directory, run!.hash.slice(0, 2), '.tmp');
    writeFileSync(path, '');
    utimesSync(path, 1000, 1000);
    store.sweepOut(1_060_000);
    expect(existsSync(path)).toBe(true);
    store.sweepOut(1_060_001);
    expect(existsSync(path)).toBe(false);
  });

  it('finds a run by the beginning of its hash', async () => {
    const [run] = await filled([1]);
    expect(store.find(run!.hash.slice(0, 8)).hash).toBe(run!.hash);
    expect(() => store.find('zz')).toThrow(UsageError);
    await filled([2, 3]);
    expect(() => store.find('')).toThrow(/3 runs begin/);
  });
});

describe('merging', () => {
  it('takes over runs with their circumstances, and equal ones once', async () => {
    const other = new ResultStore(temporaryDirectory());
    await makeRuns(await runs([2, 3]), other, { jobs: 0 });
    await filled([1, 2]);
    expect(mergeStores(store, [other])).toEqual({ added: 1, equal: 1 });
    expect(mergeStores(store, [other])).toEqual({ added: 0, equal: 2 });
    expect(store.index().every(({ seconds }) => seconds !== null)).toBe(true);
  });

  it('refuses two results for one run', async () => {
    const [run] = await filled([1]);
    const other = new ResultStore(temporaryDirectory());
    const record = store.read(run!.hash);
    other.add(
      { ...record, metrics: { ...record.metrics, ms: 1 } },
      { finishedAt: null, seconds: null, node: null, host: null, gitCommit: null },
    );
    expect(() => mergeStores(store, [other])).toThrow(CheckError);
    expect(store.read(run!.hash)).toEqual(record);
  });
});

describe('tables', () => {
  it('hold every option and metric of every run', async () => {
    const planned = await filled([1, 2]);
    const table = runTable(planned.map(({ hash }) => store.read(hash)));
    expect(table.columns.slice(0, 4)).toEqual(['hash', 'kind', 'outcome', 'code']);
    const at = (name: string) => table.columns.indexOf(name);
    expect(table.rows.map((row) => row[at('config.rows')])).toEqual([1, 2]);
    expect(table.rows[0]![at('ms')]).toBe(store.read(planned[0]!.hash).metrics.ms);
    const csv = parseCsv(formatCsv([table.columns, ...table.rows]));
    expect(csv[0]).toEqual(table.columns);
    expect(csv[1]![at('config.rows')]).toBe('1');
  });

  it('survive Parquet, read back by another library', async () => {
    const table = {
      columns: ['text', 'number', 'flag', 'mixed', 'empty'],
      rows: [
        ['a', 1.5, true, 'x', null],
        ['ä\n"', null, false, 2, null],
        [null, 1e300, null, null, null],
      ],
    };
    const bytes = formatParquet(table);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const back = await parquetReadObjects({ file });
    expect(back).toEqual([
      { text: 'a', number: 1.5, flag: true, mixed: 'x' },
      { text: 'ä\n"', number: null, flag: false, mixed: '2' },
      { text: null, number: 1e300, flag: null, mixed: null },
    ]);
  });

  it('differences name what was asked and what came out', async () => {
    const [a, b] = (await filled([1, 64])).map(({ hash }) => store.read(hash));
    const { asked, found } = diffRuns(a!, b!);
    expect(asked).toEqual([{ name: 'config.rows', a: 1, b: 64, ratio: 64 }]);
    const ms = found.find(({ name }) => name === 'ms');
    expect(ms!.ratio).toBeCloseTo(b!.metrics.ms! / a!.metrics.ms!, 12);
    expect(diffRuns(a!, a!)).toEqual({ asked: [], found: [] });
  });
});
