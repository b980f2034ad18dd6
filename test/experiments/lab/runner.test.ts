import { hostname } from 'node:os';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Execution } from '../../../experiments/lab/execute.js';
import { Lab } from '../../../experiments/lab/lab.js';
import { type PlannedRun, planRuns } from '../../../experiments/lab/plan.js';
import { WorkerEnded } from '../../../experiments/lab/pool.js';
import { makeRuns, type RunOptions } from '../../../experiments/lab/runner.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { runAll } from '../../../experiments/lab/study.js';
import { CheckError, EnvironmentError, UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** What the runs of a config come to, by its `rows`; and what was asked in which order, of which thread. */
const world = vi.hoisted(() => ({
  ends: new Map<number, Execution | Error>(),
  asked: [] as string[],
  threads: null as null | { kind: string; count: number; worker: string },
  pooled: false,
}));
const end = (rows: number): Promise<Execution> => {
  const of = world.ends.get(rows) ?? {
    seconds: 0.0123456,
    outcome: 'done',
    result: { metrics: { ms: rows } },
  };
  return of instanceof Error ? Promise.reject(of) : Promise.resolve(of);
};
vi.mock('../../../experiments/lab/execute.js', () => ({
  execute: (_kind: string, { rows }: { rows: number }) => {
    world.asked.push(`own ${rows}`);
    return end(rows);
  },
}));
vi.mock('../../../experiments/lab/pool.js', async (load) => ({
  ...(await load<typeof import('../../../experiments/lab/pool.js')>()),
  withThreads: async (
    worker: URL,
    count: number,
    kind: string,
    _signal: unknown,
    use: (of: unknown[]) => unknown,
  ) => {
    if (!world.pooled || count === 0) return null;
    world.threads = { kind, count, worker: worker.pathname.split('/').slice(-2).join('/') };
    return use(
      Array.from({ length: count }, (_, at) => ({ kind: of, config }: PlannedRun) => {
        world.asked.push(`${at} ${of} ${String(config.rows)}`);
        return end(Number(config.rows));
      }),
    );
  },
}));

let store: ResultStore;
beforeEach(() => {
  store = new ResultStore(temporaryDirectory());
  world.ends.clear();
  world.asked.length = 0;
  world.threads = null;
  world.pooled = false;
});
const plan = (rows: readonly number[], changes = {}) =>
  planRuns(
    'step',
    rows.map((each) => ({ rows: each, costModel: 'tinyllama-1.1b', ...changes })),
  );
const make = async (rows: readonly number[], options: Partial<RunOptions> = {}) =>
  makeRuns(await plan(rows), store, { jobs: 0, ...options });
const refused = { seconds: 1, outcome: 'refused', reason: 'cannot run' } as const;
const failed = { seconds: 1, outcome: 'failed', reason: 'a bug' } as const;
const missing = { seconds: 1, outcome: 'environment', reason: 'no disk' } as const;
const kept = () => store.index().map(({ config }) => config.rows);

describe('runs that are made', () => {
  it('are records, field by field, with when and where in the index alone', async () => {
    world.ends.set(2, refused);
    world.ends.set(3, {
      ...{
        seconds: 2.00049,
        outcome: 'done',
        result: { metrics: { ms: 7, joules: null }, detail: { a: [1] } },
      },
    });
    const runs = await plan([1, 2, 3]);
    const before = Date.now();
    expect(await makeRuns(runs, store, { jobs: 0, gitCommit: 'abc' })).toEqual({
      ...{ found: 0, done: 3, refused: 1, failed: [] },
    });
    const common = ({ hash, kind, config, inputs, code }: PlannedRun) => ({
      ...{ schema: 'dllm-npu/run@1', hash, kind, config, inputs, code, version: project().version },
    });
    expect(runs.map(({ hash }) => store.read(hash))).toEqual([
      { ...common(runs[0]), outcome: 'done', metrics: { ms: 1 } },
      { ...common(runs[1]), outcome: 'refused', metrics: {}, reason: 'cannot run' },
      { ...common(runs[2]), outcome: 'done', metrics: { ms: 7, joules: null }, detail: { a: [1] } },
    ]);
    const lines = store.index();
    expect(lines.map(({ seconds }) => seconds)).toEqual([0.012, 1, 2]);
    for (const { node, host, gitCommit, finishedAt } of lines) {
      expect([node, host, gitCommit]).toEqual([process.version, hostname(), 'abc']);
      expect(finishedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(finishedAt ?? '')).toBeGreaterThanOrEqual(before);
    }
    const other = new ResultStore(temporaryDirectory());
    await makeRuns(runs.slice(0, 1), other, { jobs: 0 });
    expect(other.index()[0].gitCommit).toBeNull();
  });

  it('are counted as they end, those that were there apart', async () => {
    world.ends.set(3, failed);
    await make([1]);
    const seen: string[] = [];
    const onProgress = (done: number, total: number) => seen.push(`${done}/${total}`);
    const outcome = await make([1, 2, 3, 4], { onProgress });
    const [, , broken] = await plan([1, 2, 3, 4]);
    expect(outcome).toEqual({
      ...{ found: 1, done: 2, refused: 0, failed: [{ hash: broken.hash, message: 'a bug' }] },
    });
    expect(seen).toEqual(['0/3', '1/3', '2/3', '3/3']);
    // What failed is tried again, nothing else.
    world.asked.length = 0;
    world.ends.clear();
    expect(await make([1, 2, 3, 4])).toEqual({ found: 3, done: 1, refused: 0, failed: [] });
    expect(world.asked).toEqual(['own 3']);
    expect(await make([1], { onProgress })).toMatchObject({ found: 1, done: 0 });
    expect(seen.at(-1)).toBe('0/0');
  });

  it('end at the first for which something is missing outside, and keep what was made', async () => {
    world.ends.set(2, missing);
    await expect(make([1, 2, 3])).rejects.toThrow(new EnvironmentError('no disk'));
    expect(kept()).toEqual([1]);
    expect(world.asked).toEqual(['own 1', 'own 2']);
  });

  it('end at the first refusal where every result is needed, which is kept too', async () => {
    world.ends.set(2, refused);
    await expect(make([1, 2, 3], { untilRefused: true })).rejects.toThrow(new UsageError('cannot run'));
    expect(kept()).toEqual([1, 2]);
  });

  it('end when they are told to, before the next and without what comes too late', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    const onProgress = (done: number) => done === 1 && stop.abort(reason);
    await expect(make([1, 2, 3], { signal: stop.signal, onProgress })).rejects.toThrow(reason);
    expect(kept()).toEqual([1]);
    expect(world.asked).toEqual(['own 1']);
    const late = new AbortController();
    world.ends.set(5, {
      ...{ seconds: 0, outcome: 'done' },
      get result() {
        return { metrics: {} };
      },
    } as Execution);
    const slow = make([5], { signal: late.signal });
    late.abort(reason);
    await expect(slow).rejects.toThrow(reason);
    expect(kept()).toEqual([1]);
  });

  it('are made by the lab that is given, which stays open, or by one that is closed again', async () => {
    const close = vi.spyOn(Lab.prototype, 'close');
    const lab = new Lab();
    await make([1], { lab });
    expect(close).not.toHaveBeenCalled();
    world.ends.set(2, missing);
    await expect(make([2])).rejects.toThrow();
    expect(close).toHaveBeenCalledTimes(1);
    close.mockRestore();
  });
});

describe('runs on threads', () => {
  beforeEach(() => {
    world.pooled = true;
  });

  it('are made there, with two under way in each', async () => {
    expect(await make([1, 2, 3, 4, 5], { jobs: 2 })).toMatchObject({ done: 5 });
    expect(world.threads).toEqual({ kind: 'thread', count: 2, worker: 'lab/worker.js' });
    expect(world.asked.slice(0, 4).sort()).toEqual(['0 step 1', '0 step 2', '1 step 3', '1 step 4']);
    expect(new Set(kept())).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  it('are no more than there are runs', async () => {
    await make([1, 2], { jobs: 8 });
    expect(world.threads?.count).toBe(2);
  });

  it('fail alone where a worker ends, and all end with an error that it threw', async () => {
    world.ends.set(2, new WorkerEnded('it ended'));
    const [, lost] = await plan([1, 2, 3]);
    expect(await make([1, 2, 3], { jobs: 2 })).toEqual({
      ...{ found: 0, done: 2, refused: 0, failed: [{ hash: lost.hash, message: 'it ended' }] },
    });
    world.ends.set(5, new TypeError('thrown'));
    await expect(make([4, 5], { jobs: 1 })).rejects.toThrow('thrown');
    const stopped = new AbortController();
    world.ends.set(6, new WorkerEnded('it was ended'));
    const ending = make([6], { jobs: 1, signal: stopped.signal });
    stopped.abort(new Error('stop'));
    await expect(ending).rejects.toThrow(/stop|it was ended/);
  });

  it.each([
    ['tfjs', {}, 'thread'],
    ['tfjs', { backend: 'node' }, 'process'],
    ['ort', {}, 'process'],
    ['ggml', {}, 'process'],
    ['npu-numerics', {}, 'thread'],
  ])('are processes where native kernels run: %s %j %s', async (engine, changes, kind) => {
    const decide = { workload: 'synthetic', engine, ...changes };
    const runs = (await planRuns('decide', [decide, { ...decide, seed: 2 }])).map((run) => ({
      ...run,
      config: { ...run.config, rows: 1 },
    }));
    // Hashes of made-up configs: only where they run matters here.
    await makeRuns(runs, { ...store, sweepOut() {}, index: () => [], has: () => false, add() {} } as never, {
      jobs: 1,
    });
    expect(world.threads?.kind).toBe(kind);
  });

  it('stay together where they share work, in parts that leave every thread some', async () => {
    const decide = (seed: number, costModel: string) => ({ workload: 'synthetic', seed, costModel });
    const configs = ['llada-8b', 'dream-7b', 'tinyllama-1.1b'].flatMap((model) =>
      [1, 2].map((seed) => decide(seed, model)),
    );
    const runs = await planRuns('decode', configs);
    expect(new Set(runs.map(({ sharing }) => sharing)).size).toBe(2);
    const seen: unknown[] = [];
    const add = ({ config }: PlannedRun) => seen.push([config.seed, config.costModel]);
    await makeRuns(runs, { ...store, sweepOut() {}, index: () => [], has: () => false, add } as never, {
      jobs: 0,
    });
    expect(seen).toEqual([
      ...['llada-8b', 'dream-7b', 'tinyllama-1.1b'].map((model) => [1, model]),
      ...['llada-8b', 'dream-7b', 'tinyllama-1.1b'].map((model) => [2, model]),
    ]);
    // One thread, four parts at least: of six runs two at a time.
    seen.length = 0;
    world.asked.length = 0;
    await makeRuns(runs, { ...store, sweepOut() {}, index: () => [], has: () => false, add } as never, {
      jobs: 1,
    });
    expect(seen).toEqual([
      [1, 'llada-8b'],
      [1, 'dream-7b'],
      [2, 'llada-8b'],
      [2, 'dream-7b'],
      [1, 'tinyllama-1.1b'],
      [2, 'tinyllama-1.1b'],
    ]);
  });
});

describe('what a study measures', () => {
  const study = (rows: readonly number[]) =>
    runAll(
      rows.map((each) => ({ kind: 'step', config: { rows: each, costModel: 'tinyllama-1.1b' } })),
      { store, jobs: 0 },
    );

  it('comes back in the order and as often as it was asked for, each made once', async () => {
    const found = await study([3, 1, 3]);
    expect(found.map(({ config }) => config.rows)).toEqual([3, 1, 3]);
    expect(found[0]).toBe(found[2]);
    expect(world.asked).toEqual(['own 3', 'own 1']);
  });

  it('is refused where one of its runs is, now or before, and where one fails', async () => {
    world.ends.set(2, refused);
    await expect(study([1, 2])).rejects.toThrow(new UsageError('cannot run'));
    await expect(study([1, 2])).rejects.toThrow(new UsageError('cannot run'));
    expect(world.asked).toEqual(['own 1', 'own 2']);
    world.ends.set(4, failed);
    await expect(study([4])).rejects.toThrow(new CheckError('a bug'));
  });
});
