/**
 * What keeping and finding runs costs, as shares of making them. Goals: resuming under 1 %; 1,000 answers of
 * 128 tokens by the confidence process in at most 30 s with two threads of the built program (`npm run build`) on two cores.
 */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bench, describe } from 'vitest';
import { execute } from '../experiments/lab/execute.js';
import { Lab } from '../experiments/lab/lab.js';
import { type PlannedRun, planRuns } from '../experiments/lab/plan.js';
import { makeRuns } from '../experiments/lab/runner.js';
import { ResultStore } from '../experiments/lab/store.js';
import { project } from '../src/util/project-root.js';
import { formatTable } from '../src/util/table.js';
import { temporaryDirectory } from '../test/support/temporary-directory.js';

const RUNS = 1000;
/** Each measures in rounds of its own; the harness only runs it once. */
const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

const lab = new Lab();

const KINDS = {
  // As experiments/sweeps/rows.json.
  'one step': ['step', (at: number) => ({ rows: 1 + (at % 250), context: 64 * Math.floor(at / 250) })],
  'one answer of 128 tokens': [
    'decode',
    (at: number) => ({
      workload: 'synthetic',
      policy: 'llada.cpp',
      firstCase: at % 250,
      options: { 'commit.visible': [0.5, 0.6, 0.7, 0.8][Math.floor(at / 250)] ?? 0.7 },
    }),
  ],
} as const;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

const all = (runs: readonly PlannedRun[], store: ResultStore) => makeRuns(runs, store, { jobs: 0 });

async function row(name: keyof typeof KINDS): Promise<string[]> {
  const [kind, config] = KINDS[name];
  const configs = Array.from({ length: RUNS }, (_, at) => config(at));
  const directory = temporaryDirectory();
  try {
    const store = new ResultStore(directory);
    let runs: PlannedRun[] = [];
    const planned = await seconds(async () => {
      runs = await planRuns(kind, configs);
    });
    // Both before either is timed: what is dear to open is opened once.
    for (const run of runs.slice(0, 20)) await execute(run.kind, run.config, lab);
    const bare = await seconds(async () => {
      for (const run of runs) await execute(run.kind, run.config, lab);
    });
    const made = await seconds(() => all(runs, store));
    const found = await seconds(async () => all(await planRuns(kind, configs), store));
    const percent = (part: number): string => `${((100 * part) / made).toFixed(2)} %`;
    return [
      name,
      String(runs.length),
      bare.toFixed(1),
      made.toFixed(1),
      planned.toFixed(2),
      found.toFixed(2),
      percent(Math.max(0, made - bare)),
      percent(found),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The same answers as above. */
const ANSWERS = {
  schema: 'dllm-npu/sweep@1',
  kind: 'decode',
  base: { workload: 'synthetic', policy: 'llada.cpp' },
  axes: { firstCase: { from: 0, to: 249, step: 1 }, 'options.commit.visible': [0.5, 0.6, 0.7, 0.8] },
};

describe(`a sweep of ${RUNS} runs`, () => {
  bench(
    'answers on two threads',
    () => {
      const directory = temporaryDirectory();
      const file = join(directory, 'answers.json');
      writeFileSync(file, JSON.stringify(ANSWERS));
      const program = join(project().root, 'dist', 'cli', 'main.js');
      const began = performance.now();
      execFileSync(process.execPath, [
        program,
        'sweep',
        file,
        '--jobs',
        '2',
        '--results',
        directory,
        '--json',
      ]);
      console.log(
        `${RUNS} answers of 128 tokens on two threads: ${((performance.now() - began) / 1000).toFixed(1)} s`,
      );
      rmSync(directory, { recursive: true, force: true });
    },
    ONCE,
  );

  bench(
    'made, and asked for again',
    async () => {
      const headers = [
        'run',
        'runs',
        'bare s',
        'kept s',
        'plan s',
        'resume s',
        'keeping / kept',
        'resume / kept',
      ];
      const body: string[][] = [];
      for (const name of Object.keys(KINDS) as (keyof typeof KINDS)[]) body.push(await row(name));
      const columns = headers.map((text, at) => ({
        header: [text],
        align: at === 0 ? ('left' as const) : ('right' as const),
      }));
      console.log(`\n${formatTable(columns, body)}`);
    },
    ONCE,
  );
});
