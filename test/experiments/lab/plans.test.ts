import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeVersion } from '../../../experiments/lab/code-version.js';
import { expandSweep, rangeValues } from '../../../experiments/lab/expand.js';
import { kindByName, kindNames } from '../../../experiments/lab/kinds/registry.js';
import { partsOf } from '../../../experiments/lab/parts.js';
import { type PlannedRun, planEach, planRuns, planSweep, shardOf } from '../../../experiments/lab/plan.js';
import { RUN_SCHEMA, type RunRecord, runHash } from '../../../experiments/lab/record.js';
import { selectRuns } from '../../../experiments/lab/select-runs.js';
import { withTodaysNames } from '../../../experiments/lab/setup.js';
import {
  mergeFinished,
  mergeSlurmJob,
  type SlurmOptions,
  submitSlurmJob,
  writeSlurmJob,
} from '../../../experiments/lab/slurm.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { parseSweep, readSweep, SWEEP_SCHEMA, type SweepFile } from '../../../experiments/lab/sweep-file.js';
import { sweepJsonSchema } from '../../../experiments/lab/sweep-schema.js';
import { profileHash } from '../../../sim/hardware/load-profile.js';
import { CheckError, DataError, EnvironmentError, UsageError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const sweep = (body: object): SweepFile =>
  parseSweep({ schema: SWEEP_SCHEMA, kind: 'step', ...body }, 'my.json');
const expand = (body: object) => expandSweep(sweep(body));
const refusal = (of: () => unknown): string => {
  try {
    of();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'none';
};

describe('a sweep file', () => {
  it('has defaults for what it leaves out', () => {
    expect(sweep({ base: { rows: 1 } })).toEqual({
      ...{ schema: SWEEP_SCHEMA, kind: 'step', mode: 'cross', base: { rows: 1 }, axes: {}, runs: [] },
    });
  });

  it.each([
    [{}, 'sweep: a sweep needs axes, runs or a base'],
    [{ axes: { rows: [] } }, 'axes.rows: Too small: expected array to have >=1 items'],
    [{ axes: { '': [1] } }, 'axes.: Invalid key in record'],
    [{ base: { rows: 1 }, mode: 'random' }, 'mode: Invalid option: expected one of "cross"|"one-at-a-time"'],
    [{ base: { rows: 1 }, kind: '' }, 'kind: Too small: expected string to have >=1 characters'],
    [{ base: { rows: 1 }, schema: 'dllm-npu/sweep@2' }, 'schema: Invalid input: expected "dllm-npu/sweep@1"'],
    [{ base: { rows: 1 }, more: 1 }, 'sweep: Unrecognized key: "more"'],
  ])('is refused: %j', (body, message) => {
    expect(refusal(() => sweep(body))).toBe(`DataError: my.json: ${message}`);
  });

  it('is enough with a base, axes or runs alone', () => {
    expect(expand({ base: { rows: 1 } })).toEqual([{ rows: 1 }]);
    expect(expand({ axes: { rows: [1, 2] } })).toEqual([{ rows: 1 }, { rows: 2 }]);
    expect(expand({ runs: [{ rows: 1 }] })).toEqual([{ rows: 1 }]);
  });

  it.each([
    [{ from: 1, to: 2, count: 1 }, false],
    [{ from: 1, to: 2, count: 2 }, true],
    [{ from: 1, to: 2, count: 100_000 }, true],
    [{ from: 1, to: 2, count: 100_001 }, false],
    [{ from: 1, to: 2, factor: 1 }, false],
    [{ from: 1, to: 2, factor: 1.1 }, true],
    [{ from: 1, to: 2, step: 0 }, false],
    [{ from: 1, to: 2, step: 0.1 }, true],
    [{ from: 0.001, to: 2, factor: 2 }, true],
    [{ from: -1, to: 2, factor: 2 }, false],
    [{ from: 1, to: 4, step: 1, count: 2 }, false],
  ])('takes a range %j: %j', (range, isTaken) => {
    expect(refusal(() => sweep({ axes: { rows: range } })) === 'none').toBe(isTaken);
  });

  it('is read from where it lies', () => {
    const path = join(temporaryDirectory(), 'a.json');
    writeFileSync(path, JSON.stringify({ schema: SWEEP_SCHEMA, kind: 'step', runs: [{ rows: 3 }] }));
    expect(readSweep(path).runs).toEqual([{ rows: 3 }]);
    writeFileSync(path, '{"kind": 1}');
    expect(() => readSweep(path)).toThrow(DataError);
    expect(() => readSweep(`${path}x`)).toThrow(EnvironmentError);
  });
});

describe('values of a range', () => {
  it.each([
    [{ from: 3, to: 3 }, [3]],
    [{ from: 0.1, to: 0.5, step: 0.2 }, [0.1, 0.3, 0.5]],
    [{ from: -0.3, to: -0.1, step: 0.1 }, [-0.3, -0.2, -0.1]],
    [{ from: 1, to: 2.9 }, [1, 2]],
    [{ from: 1, to: 1000, factor: 10 }, [1, 10, 100, 1000]],
    [{ from: 3, to: 20, factor: 1.5 }, [3, 4.5, 6.75, 10.125, 15.1875]],
    [{ from: 2, to: 4, count: 3 }, [2, 3, 4]],
    [{ from: 0, to: 1, count: 4 }, [0, 0.333333333333, 0.666666666667, 1]],
  ])('%j', (range, values) => {
    expect(rangeValues(range)).toEqual(values);
  });

  it('are a million at most', () => {
    const range = (to: number) => rangeValues({ from: 1, to });
    expect(refusal(() => range(1_000_001))).toBe('UsageError: a range has more than 1000000 values');
  });
});

describe('runs of a sweep', () => {
  it('are a million at most', () => {
    const thousand = { from: 1, to: 1000 };
    const axes = { a: thousand, b: thousand, c: [1, 2] };
    expect(refusal(() => expand({ axes }))).toBe('UsageError: the axes make 2000000 runs, more than 1000000');
  });

  it('set entries of options, and say where there are none', () => {
    expect(expand({ base: { numbers: { a: 1 } }, axes: { 'numbers.x.y': [2] } })).toEqual([
      { numbers: { a: 1, 'x.y': 2 } },
    ]);
    expect(expand({ axes: { 'numbers.x': [2] } })).toEqual([{ numbers: { x: 2 } }]);
    for (const rows of [7, 'seven', [7]])
      expect(refusal(() => expand({ base: { rows }, axes: { 'rows.x': [1] } }))).toBe(
        'UsageError: "rows.x": option rows has no entries',
      );
  });

  it('move options together, with blanks around their names', () => {
    expect(expand({ axes: { ' a , b': [[1, [2]]] } })).toEqual([{ a: 1, b: [2] }]);
    for (const value of [1, [1], [1, 2, 3], 'ab'])
      expect(refusal(() => expand({ axes: { 'a,b': [value] } }))).toBe(
        'UsageError: axis "a,b": each value must be a list of 2',
      );
    expect(expand({ mode: 'one-at-a-time', axes: { 'a,b': [[1, 2]], c: [3] } })).toEqual([
      {},
      { a: 1, b: 2 },
      { c: 3 },
    ]);
  });

  it('begin with those of the axes, and a list lies over the base', () => {
    const body = { base: { a: 0, z: 9 }, runs: [{ a: 5 }, { b: 6 }] };
    expect(expand({ ...body, axes: { a: [1] } })).toEqual([
      { a: 1, z: 9 },
      { a: 5, z: 9 },
      { a: 0, z: 9, b: 6 },
    ]);
    expect(expand(body)).toEqual([
      { a: 5, z: 9 },
      { a: 0, z: 9, b: 6 },
    ]);
  });
});

describe('old names of options', () => {
  it('are today’s, and numbers of both parts become one', () => {
    expect(withTodaysNames({ prompts: 3, firstPrompt: 1, quant: 'f16' })).toEqual({
      ...{ cases: 3, firstCase: 1, quant: 'f16' },
    });
    expect(
      withTodaysNames({
        profileNumbers: { 'npu.dmaRate': 1 },
        stackNumbers: { x: 2 },
        numbers: { 'stack.y': 3 },
      }),
    ).toEqual({ numbers: { 'profile.npu.dmaRate': 1, 'stack.x': 2, 'stack.y': 3 } });
    // What is no set of numbers is left for the schema to refuse.
    expect(withTodaysNames({ profileNumbers: null })).toEqual({ profileNumbers: null });
    expect(withTodaysNames({ stackNumbers: 7 })).toEqual({ stackNumbers: 7 });
    expect(withTodaysNames({ profileNumbers: {} })).toEqual({});
  });

  it('are refused beside the new one, and what is gone with what to do', () => {
    expect(refusal(() => withTodaysNames({ cases: 1, prompts: 1 }))).toBe(
      'UsageError: prompts is the old name of cases: give one',
    );
    expect(refusal(() => withTodaysNames({ firstCase: 1, firstPrompt: 1 }))).toBe(
      'UsageError: firstPrompt is the old name of firstCase: give one',
    );
    expect(refusal(() => withTodaysNames({ fidelity: 'event' }))).toBe(
      'UsageError: option fidelity no longer exists: every run is timed event by event; remove it',
    );
  });
});

describe('a planned run', () => {
  it('is all that it depends on, with its defaults', async () => {
    const [run] = await planEach([{ kind: 'step', config: { rows: 3 } }]);
    const config = {
      ...{ context: 0, costModel: 'llada-8b', logitsRows: null, memory: 'somr', numbers: {} },
      ...{ placement: 'global', profile: 'sm8750', quant: 'q4_0', rows: 3, stack: 'llada.cpp' },
    };
    const inputs = { 'profile sm8750': profileHash('sm8750') };
    expect(run).toEqual({
      ...{ kind: 'step', config, inputs, code: codeVersion(), sharing: null },
      hash: runHash({ kind: 'step', config, inputs, code: codeVersion() }),
    });
    expect(Object.keys(run.config)).toEqual(Object.keys(config));
  });

  it('of cases has these defaults, and shares work where it decides the same', async () => {
    const [run] = await planEach([{ kind: 'decode', config: {} }]);
    expect(run.config).toEqual({
      ...{ workload: 'tiny-llada', engine: 'tfjs', backend: 'wasm', threads: 1, compute: 'f32' },
      ...{
        policy: 'llada.cpp',
        options: {},
        blockLength: null,
        seed: 1,
        firstCase: 0,
        cases: 1,
        genLength: 128,
      },
      ...{ costModel: 'llada-8b', quant: 'q4_0', profile: 'sm8750', stack: 'llada.cpp', memory: 'somr' },
      ...{ placement: 'global', numbers: {} },
    });
    expect(run.sharing).not.toBeNull();
    const same = {
      memory: 'unlimited',
      quant: 'f16',
      costModel: 'dream-7b',
      threads: 3,
      device: 'x',
      compute: 'int8',
    };
    const other = {
      ...{ seed: 2, firstCase: 1, cases: 2, genLength: 64, policy: 'threshold', blockLength: 8 },
      ...{ options: { 'commit.visible': 0.5 }, workload: 'synthetic', engine: 'ort', backend: 'cpu' },
    };
    const sharing = async (kind: string, config: object) =>
      (await planRuns(kind, [{ ...config }]))[0].sharing;
    for (const kind of ['decide', 'decode', 'verify']) {
      const own = await sharing(kind, {});
      for (const [key, value] of Object.entries(same)) {
        if (kind === 'decide' && ['memory', 'quant', 'costModel'].includes(key)) continue;
        expect(await sharing(kind, { [key]: value }), `${kind} ${key}`).toBe(own);
      }
      for (const [key, value] of Object.entries(other))
        expect(await sharing(kind, { [key]: value }), `${kind} ${key}`).not.toBe(own);
    }
  });

  it('is one object for equal wishes, and planRuns names it once', async () => {
    const wanted = [{ rows: 1 }, { rows: 2 }, { rows: 1 }].map((config) => ({ kind: 'step', config }));
    const [a, b, c] = await planEach(wanted);
    expect(c).toBe(a);
    expect(b.hash).not.toBe(a.hash);
    expect((await planRuns('step', [{ rows: 1 }, { rows: 2 }, { rows: 1 }])).map(({ hash }) => hash)).toEqual(
      [a.hash, b.hash],
    );
  });

  it.each([
    ['step', { rows: 0 }, 'run 2: rows: Too small: expected number to be >=1'],
    ['step', { rowz: 1 }, 'run 2: step: Unrecognized key: "rowz"'],
    ['step', { context: -1 }, 'run 2: context: Too small: expected number to be >=0'],
    ['step', { logitsRows: -1 }, 'run 2: logitsRows: Too small: expected number to be >=0'],
    ['decode', { cases: 0 }, 'run 2: cases: Too small: expected number to be >=1'],
    ['decode', { cases: 1_000_001 }, 'run 2: cases: Too big: expected number to be <=1000000'],
    ['decode', { genLength: -1 }, 'run 2: genLength: Too small: expected number to be >=0'],
    ['decode', { seed: -1 }, 'run 2: seed: Too small: expected number to be >=0'],
    ['decode', { firstCase: -1 }, 'run 2: firstCase: Too small: expected number to be >=0'],
    ['decode', { threads: 0 }, 'run 2: threads: Too small: expected number to be >=1'],
    ['decode', { threads: 257 }, 'run 2: threads: Too big: expected number to be <=256'],
    ['decode', { blockLength: 0 }, 'run 2: blockLength: Too small: expected number to be >=1'],
    ['decode', { maskShare: 0 }, 'run 2: maskShare: Too small: expected number to be >0'],
    ['decode', { maskShare: 1.1 }, 'run 2: maskShare: Too big: expected number to be <=1'],
    ['decode', { maskDraws: 0 }, 'run 2: maskDraws: Too small: expected number to be >=1'],
    ['decode', { maskDraws: 1001 }, 'run 2: maskDraws: Too big: expected number to be <=1000'],
    ['decode', { workload: '' }, 'run 2: workload: Too small: expected string to have >=1 characters'],
    ['verify', { every: 0 }, 'run 2: every: Too small: expected number to be >=1'],
    ['decode', { numbers: { rate: 1 } }, 'run 2: numbers.rate: Invalid key in record'],
  ])('%s %j is refused by its number', async (kind, config, message) => {
    const wanted = [{}, config].map((each) => ({ kind, config: each }));
    await expect(planEach(wanted)).rejects.toThrow(new UsageError(message));
  });

  it('is of a kind that there is', async () => {
    expect(kindNames()).toEqual(['step', 'decide', 'decode', 'verify']);
    for (const name of kindNames()) expect((await kindByName(name)).name).toBe(name);
    await expect(planRuns('decod', [{}])).rejects.toThrow('unknown kind of run "decod": did you mean decode');
  });

  it('goes to one shard', () => {
    const runs = [0, 1, 2, 3, 4];
    expect([1, 2, 3].map((shard) => shardOf(runs, shard, 3))).toEqual([[0, 3], [1, 4], [2]]);
    for (const shard of [0, 4])
      expect(refusal(() => shardOf(runs, shard, 3))).toBe(`UsageError: shard ${shard} of 3 does not exist`);
  });

  it('shares a part with others up to its size, in the order of their first mention', () => {
    const run = (id: number, sharing: string | null) => ({ id, sharing });
    const runs = [run(0, 'a'), run(1, null), run(2, 'b'), run(3, 'a'), run(4, null), run(5, 'a')];
    const ids = (most: number) => partsOf(runs, most).map((part) => part.map(({ id }) => id));
    expect(ids(9)).toEqual([[0, 3, 5], [1], [2], [4]]);
    expect(ids(2)).toEqual([[0, 3], [1], [2], [4], [5]]);
    expect(ids(1)).toEqual([[0], [1], [2], [3], [4], [5]]);
  });
});

/** A run that was never computed: what stores and jobs do with it needs no result. */
function made(rows: number, changes: Partial<RunRecord> = {}): RunRecord {
  const identity = { kind: 'step', config: { rows }, inputs: {}, code: codeVersion(), ...changes };
  const { kind, config, inputs, code } = identity;
  return {
    ...{ schema: RUN_SCHEMA, hash: runHash({ kind, config, inputs, code }), kind, config, inputs, code },
    ...{ version: '0', outcome: 'done', metrics: {}, ...changes },
  };
}
const UNKNOWN = { finishedAt: null, seconds: null, node: null, host: null, gitCommit: null };

describe('stored runs that are meant', () => {
  const store = new ResultStore(temporaryDirectory());
  const runs = [
    made(1),
    made(2, { config: { rows: 2, numbers: { 'npu.x': 1 }, none: null } }),
    made(3, { kind: 'decode' }),
    made(4, { outcome: 'refused', reason: 'no' }),
    made(5, { code: '0'.repeat(64) }),
  ];
  for (const run of runs) store.add(run, UNKNOWN);
  const rows = async (filter: Partial<Parameters<typeof selectRuns>[1]>) =>
    (await selectRuns(store, { where: [], refused: false, anyCode: false, ...filter })).map(
      ({ config }) => config.rows,
    );

  it('meet all that is asked', async () => {
    expect(await rows({})).toEqual([1, 2, 3, 4]);
    expect(await rows({ anyCode: true })).toEqual([1, 2, 3, 4, 5]);
    expect(await rows({ kind: 'decode' })).toEqual([3]);
    expect(await rows({ refused: true })).toEqual([4]);
    expect(await rows({ where: ['numbers.npu.x=1'] })).toEqual([2]);
    expect(await rows({ where: ['none=null', 'rows=2'] })).toEqual([2]);
    expect(await rows({ where: ['rows=1', 'none=null'] })).toEqual([]);
    expect(await rows({ where: ['missing=undefined'] })).toEqual([1, 2, 3, 4]);
    expect(await rows({ where: ['rows='] })).toEqual([]);
    expect(await rows({ where: ['x=1'] })).toEqual([]);
    for (const wrong of ['rows', '=2', ''])
      await expect(rows({ where: [wrong] })).rejects.toThrow(
        new UsageError(`--where takes option=value, got "${wrong}"`),
      );
  });

  it('of a sweep come in its order, those that were made', async () => {
    const directory = temporaryDirectory();
    const own = new ResultStore(join(directory, 'results'));
    const file = join(directory, 'sweep.json');
    writeFileSync(file, JSON.stringify({ schema: SWEEP_SCHEMA, kind: 'step', axes: { rows: [3, 1, 2] } }));
    const planned = await planSweep(readSweep(file));
    for (const { hash, kind, config, inputs, code } of [planned[2], planned[0]])
      own.add({ ...made(0), hash, kind, config, inputs, code }, UNKNOWN);
    const found = await selectRuns(own, { where: [], refused: false, anyCode: false, sweep: file });
    expect(found.map(({ config }) => config.rows)).toEqual([3, 2]);
  });
});

describe('a job of Slurm', () => {
  const OPTIONS: SlurmOptions = {
    ...{ shards: 2, jobs: 3, directives: ['--time=1:00:00', '-p long'], program: ['node', 'a b.js'] },
  };
  const planned = ({ hash, kind, config, inputs, code }: RunRecord): PlannedRun => ({
    ...{ hash, kind, config, inputs, code, sharing: null },
  });
  const runs = [1, 2, 3].map((rows) => planned(made(rows)));

  it('is this script, and the runs as they were', () => {
    const results = join(temporaryDirectory(), 'my 50% "x"');
    const { directory, script, shards } = writeSlurmJob(runs, new ResultStore(results), OPTIONS);
    const id = directory.slice(-12);
    expect(id).toMatch(/^[0-9a-f]{12}$/);
    expect([directory, script, shards]).toEqual([join(results, 'slurm', id), join(directory, 'job.sh'), 2]);
    expect(readFileSync(script, 'utf8').split('\n')).toEqual([
      '#!/usr/bin/env bash',
      `#SBATCH --job-name=dllm-npu-${id}`,
      '#SBATCH --array=1-2',
      '#SBATCH --cpus-per-task=3',
      `#SBATCH --output="${directory.replace('%', '%%').replaceAll('"', '\\"')}/task-%a.log"`,
      '#SBATCH --time=1:00:00',
      '#SBATCH -p long',
      'set -euo pipefail',
      `exec 'node' 'a b.js' sweep '${directory}/sweep.json' \\`,
      '  --shard "$SLURM_ARRAY_TASK_ID/2" --jobs 3 \\',
      `  --results '${directory}/shard-'"$SLURM_ARRAY_TASK_ID"`,
      '',
    ]);
    expect(readFileSync(join(directory, 'sweep.json'), 'utf8')).toBe(
      `${JSON.stringify({ schema: SWEEP_SCHEMA, kind: 'step', runs: runs.map(({ config }) => config) }, null, 1)}\n`,
    );
    // The same runs are the same job, others another.
    const again = writeSlurmJob(runs, new ResultStore(results), { ...OPTIONS, jobs: 0, shards: 9 });
    expect(again).toMatchObject({ directory, shards: 3 });
    expect(readFileSync(again.script, 'utf8')).toContain('#SBATCH --cpus-per-task=1\n');
    expect(readFileSync(again.script, 'utf8')).toContain('--jobs 0 \\');
    expect(writeSlurmJob(runs.slice(1), new ResultStore(results), OPTIONS).directory).not.toBe(directory);
    const others = [...runs.slice(0, 2), planned(made(4))];
    expect(writeSlurmJob(others, new ResultStore(results), OPTIONS).directory).not.toBe(directory);
  });

  it('is refused where there is nothing to do, and where sbatch would read something else', () => {
    const store = new ResultStore(temporaryDirectory());
    expect(refusal(() => writeSlurmJob([], store, OPTIONS))).toBe(
      'UsageError: no run is missing: there is nothing to submit',
    );
    for (const wrong of ['time=1', '--', '--1', '- x', '--a\n--b', ' --a', '---a'])
      expect(refusal(() => writeSlurmJob(runs, store, { ...OPTIONS, directives: ['-a', wrong] }))).toBe(
        `UsageError: "${wrong}" is no option of sbatch: expected --name=value`,
      );
    for (const wrong of ['a\\b', 'a\nb']) {
      const path = join(temporaryDirectory(), wrong);
      expect(refusal(() => writeSlurmJob(runs, new ResultStore(path), OPTIONS))).toMatch(
        /^UsageError: Slurm cannot write logs to ".*": choose --results without backslashes and line breaks$/,
      );
    }
  });

  it('is taken over shard by shard, and says what is missing', () => {
    const store = new ResultStore(temporaryDirectory());
    expect(mergeFinished(store)).toBe(0);
    const job = writeSlurmJob(runs, store, OPTIONS);
    const other = writeSlurmJob(runs.slice(1), store, OPTIONS);
    const put = (directory: string, shard: string, rows: number) =>
      new ResultStore(join(directory, shard)).add(made(rows), UNKNOWN);
    put(job.directory, 'shard-1', 1);
    put(job.directory, 'shard-12', 2);
    for (const name of ['shard-', 'shard-1x', 'xshard-1']) put(job.directory, name, 3);
    put(other.directory, 'shard-2', 2);
    expect(refusal(() => mergeSlurmJob(job, store, runs))).toBe(
      `CheckError: 1 of 3 runs are missing; 2 were taken over. The tasks' logs are in ${job.directory}; the same command submits what is missing`,
    );
    expect(refusal(() => mergeSlurmJob(job, store, runs))).toMatch(
      /1 of 3 runs are missing; 0 were taken over/,
    );
    expect(mergeFinished(store)).toBe(0);
    put(other.directory, 'shard-3', 3);
    expect(mergeFinished(store)).toBe(1);
    expect(mergeSlurmJob(job, store, runs)).toBe(0);
    expect(() => mergeSlurmJob(job, store, [planned(made(9))])).toThrow(CheckError);
  });

  it('is handed over by its script, waits where it shall, and tells its number once', async () => {
    const directory = temporaryDirectory();
    const log = join(directory, 'log');
    mkdirSync(join(directory, 'bin'));
    const sbatch = join(directory, 'bin', 'sbatch');
    const path = process.env.PATH;
    const told: string[] = [];
    const submit = async (
      script: string,
      wait: boolean,
      hooks: Parameters<typeof submitSlurmJob>[2] = {},
    ) => {
      writeFileSync(sbatch, `#!/bin/sh\necho "$@" > ${log}\n${script}\n`);
      chmodSync(sbatch, 0o755);
      process.env.PATH = `${join(directory, 'bin')}:${path}`;
      const job = { directory, script: 'job.sh', shards: 1 };
      return submitSlurmJob(job, wait, { onSubmit: (id) => told.push(id), ...hooks }).finally(() => {
        process.env.PATH = path;
      });
    };
    expect(await submit('echo 77; sleep 0.05; echo 78', false)).toEqual({ id: '77', ok: true });
    expect(readFileSync(log, 'utf8')).toBe('--parsable job.sh\n');
    expect(await submit('echo "  "; sleep 0.05; echo 79 ; exit 3', true)).toEqual({ id: '79', ok: false });
    expect(readFileSync(log, 'utf8')).toBe('--parsable --wait job.sh\n');
    expect(told).toEqual(['77', '79']);
    expect(await submit('echo 80', false, { onSubmit: undefined })).toEqual({ id: '80', ok: true });
    await expect(submit('echo 80', false, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    await expect(submit('exit 4', false)).rejects.toThrow(
      new EnvironmentError('sbatch refused the job: exit 4'),
    );
    await expect(submit('echo "  busy  " >&2; exit 4', false)).rejects.toThrow(
      new EnvironmentError('sbatch refused the job: busy'),
    );
    expect(await submit("printf '83  \\n'", false)).toEqual({ id: '83', ok: true });
    // A line that is not finished may be half of a number: it counts when nothing more comes.
    expect(await submit('printf 8; sleep 0.05; printf 1', false)).toEqual({ id: '81', ok: true });
    await expect(submit('echo job 5', false)).rejects.toThrow('names no job in what it says ("job 5")');
    const long = 'x'.repeat(300);
    await expect(submit(`echo ${long}`, false)).rejects.toThrow(`("${'x'.repeat(200)}")`);
    await expect(submit('echo job 5 and more', false)).rejects.toThrow(
      'sbatch names no job in what it says ("job 5 and more"): look for it with squeue before you submit again',
    );
  });
});

describe('the schema of sweep files', () => {
  it('has a definition of each kind, and nothing beside its options', async () => {
    const schema = (await sweepJsonSchema()) as Record<string, unknown> & {
      allOf: unknown[];
      $defs: Record<string, { description: string; type: string; additionalProperties: boolean }>;
    };
    expect(schema).toMatchObject({
      ...{
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        title: 'A sweep of dllm-npu',
        type: 'object',
      },
      ...{ additionalProperties: false, required: ['schema', 'kind'] },
    });
    expect(Object.keys(schema.properties as object)).toEqual(
      'schema,title,kind,mode,base,axes,runs'.split(','),
    );
    expect(Object.keys(schema.$defs)).toEqual(kindNames());
    expect(schema.allOf).toHaveLength(kindNames().length);
    for (const name of kindNames()) {
      const kind = await kindByName(name);
      const { properties, ...rest } = schema.$defs[name] as { properties?: object };
      expect(rest).toEqual({ description: kind.description, type: 'object', additionalProperties: false });
      const shape = (kind.config as unknown as { shape: object }).shape;
      expect(Object.keys(properties ?? {})).toEqual(Object.keys(shape));
    }
  });
});
