import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { readMetrics } from '../../experiments/lab/metric.js';
import { type PlannedRun, planSweep, shardOf } from '../../experiments/lab/plan.js';
import { makeRuns } from '../../experiments/lab/runner.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { readSweep } from '../../experiments/lab/sweep-file.js';
import { CheckError, UsageError } from '../../src/errors.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { defineCommand } from '../command.js';
import { gitCommit } from '../git-commit.js';
import { flag, runs as runOptions } from '../groups.js';
import type { Context } from '../io.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';
import { listRuns, metric, printRuns } from '../run-list.js';
import { showSweepSchema } from '../sweep-schema.js';
import { runOnSlurm } from '../sweep-slurm.js';

const NOTES = `A run is addressed by the SHA-256 of its resolved options, its input files and the code: what was computed once is
never computed again, and after a kill the same command goes on where it was.

  {
    "schema": "dllm-npu/sweep@1",
    "kind": "step",                              step: one denoising step; decode: problems decoded and timed
    "base": { "memory": "on-demand" },           what is left out has its default
    "axes": {
      "rows": { "from": 32, "to": 256, "factor": 2 },      ranges: step, factor or count
      "profile": ["sm8650", "sm8750"],
      "profileNumbers.npu.dmaRate": ["32 GB/s", "60 GB/s"],
      "stack,memory": [["cpu", "unlimited"], ["llada.cpp", "somr"]]
    },
    "mode": "cross",                             or one-at-a-time
    "runs": [{ "rows": 1 }]                      further single runs
  }`;

const shard = z
  .string()
  .regex(/^\d+\/\d+$/, 'Expected I/N, e.g. 3/16')
  .transform((text) => text.split('/').map(Number))
  .refine(([one, of]) => one >= 1 && one <= of, 'Expected I/N with I from 1 to N, e.g. 3/16');

const options = {
  jobs: runOptions.jobs.default(availableParallelism()),
  shard: shard.optional().describe('only each n-th run from the i-th, for arrays').meta({ value: 'i/n' }),
  results: runOptions.results,
  schema: flag('print the JSON Schema of a sweep file with the options of every kind, and run nothing'),
  dryRun: flag('only say what would run'),
  metric,
  launcher: z
    .enum(['local', 'slurm'])
    .default('local')
    .describe('local: here; slurm: write and submit an sbatch array, wait, merge'),
  shards: z.int().min(1).max(100_000).default(4).describe('slurm: tasks of the array'),
  slurm: z
    .array(z.string())
    .default([])
    .describe('slurm: a further option of sbatch, e.g. --time=1:00:00; repeatable')
    .meta({ repeat: true, value: 'option' }),
  wait: z
    .boolean()
    .default(true)
    .describe('slurm: only submit; the same command later merges what is finished'),
};

type Options = z.output<z.ZodObject<typeof options>>;

export const command = defineCommand({
  arguments: { file: z.string().optional().describe('sweep as JSON: kind, base, axes, mode, runs') },
  options,
  effects: [
    {
      options: ['shards', 'slurm', 'wait'],
      when: ({ launcher }) => launcher === 'slurm',
      because: 'it is of --launcher slurm',
    },
    {
      options: ['metric'],
      when: ({ launcher, dryRun }) => launcher === 'local' && !dryRun,
      because: 'the runs are not made here and now',
    },
  ],
  notes: NOTES,
  examples: [
    'sweep experiments/sweeps/rows.json',
    'sweep --schema > sweep.schema.json   for an editor',
    'sweep big.json --shard 3/16         the third of sixteen parts, on any machine',
    'sweep big.json --launcher slurm --shards 16 --slurm=--time=1:00:00',
    'results export --sweep big.json --format csv > big.csv',
  ],
  async run(ctx, { file, ...asked }) {
    if (asked.schema) return showSweepSchema(ctx);
    if (file === undefined) throw new UsageError('needs a FILE; --schema prints what can be in it');
    // A metric that cannot be read is refused now and not after the work; which columns there are, the runs say.
    await readMetrics(asked.metric);
    const all = await planSweep(readSweep(file));
    const runs = asked.shard === undefined ? all : shardOf(all, asked.shard[0], asked.shard[1]);
    const store = new ResultStore(resultsDirectory(asked.results));
    if (asked.dryRun) {
      const missing = runs.filter(({ hash }) => !store.has(hash));
      ctx.data({ runs: runs.map(({ hash, config }) => ({ hash, found: store.has(hash), config })) });
      ctx.print(`${runs.length} runs, ${missing.length} of them not in ${store.directory}`);
      return;
    }
    checkWritableDirectory(store.directory);
    await (asked.launcher === 'slurm' ? runOnSlurm : runHere)(ctx, runs, store, asked);
  },
});

async function runHere(
  ctx: Context,
  runs: readonly PlannedRun[],
  store: ResultStore,
  asked: Options,
): Promise<void> {
  const bar = progressBar(ctx, 'runs', { log: true });
  const start = performance.now();
  const outcome = await makeRuns(runs, store, {
    jobs: asked.jobs,
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(done, total),
    gitCommit: gitCommit(),
  }).finally(() => bar.stop());
  const seconds = (performance.now() - start) / 1000;
  const wanted = new Set(runs.map(({ hash }) => hash));
  const stored = asked.metric.length === 0 ? [] : store.index().filter(({ hash }) => wanted.has(hash));
  const listed = await listRuns(store, stored, asked.metric);
  const metrics = listed.map(({ hash, metrics }) => ({ hash, ...metrics }));
  ctx.data({
    results: store.directory,
    runs: [...wanted],
    ...outcome,
    metrics: asked.metric.length === 0 ? undefined : metrics,
  });
  if (listed.length > 0) printRuns(ctx, listed);
  ctx.print(
    `${runs.length} runs: ${outcome.found} were there, ${outcome.done} made in ${seconds.toFixed(1)} s` +
      `${outcome.refused > 0 ? ` (${outcome.refused} of them cannot run; \`results list --refused\` says why)` : ''}`,
  );
  ctx.note(`in ${store.directory}`);
  const [first] = outcome.failed;
  if (first !== undefined) {
    throw new CheckError(
      `${outcome.failed.length} runs failed and were not kept; the first, ${first.hash.slice(0, 12)}: ${first.message}`,
    );
  }
}
