import { availableParallelism } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { PlannedRun } from '../../experiments/lab/plan.js';
import type { ResultStore } from '../../experiments/lab/store.js';
import { CheckError } from '../../src/errors.js';
import { checkWritableDirectory } from '../../src/util/check-writable.js';
import { gitCommit } from '../git-commit.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { progressBar } from '../progress.js';
import { resultsDirectory } from '../results-directory.js';
import { listRuns, metricOption, printRuns } from '../run-list.js';

interface Shard {
  readonly shard: number;
  readonly shards: number;
}

interface SweepCommandOptions {
  readonly jobs: number;
  readonly shard?: Shard;
  readonly results?: string;
  readonly dryRun?: boolean;
  readonly metric: readonly string[];
  readonly launcher: 'local' | 'slurm';
  readonly shards: number;
  readonly slurm: readonly string[];
  /** False after `--no-wait`. */
  readonly wait: boolean;
}

export function registerSweep(program: Command, context: () => Context): void {
  program
    .command('sweep')
    .description('every run of a sweep file that is not in results/ yet; stop it any way, start it again')
    .argument('<file>', 'sweep as JSON: kind, base, axes, mode, runs')
    .option(
      '--jobs <n>',
      'worker threads; 0 = none. Results do not depend on it',
      integer(0, 256),
      availableParallelism(),
    )
    .option('--shard <i/n>', 'only every n-th run from the i-th on, for array jobs', parseShard)
    .option('--results <dir>', 'where runs are kept, in runs/ (default: ./results)')
    .option('--dry-run', 'only say what would run')
    .addOption(
      new Option('--launcher <name>', 'local: here; slurm: write and submit an sbatch array, wait, merge')
        .choices(['local', 'slurm'])
        .default('local'),
    )
    .option('--shards <n>', 'slurm: tasks of the array', integer(1, 100_000), 4)
    .addOption(
      new Option('--slurm <option>', 'slurm: a further option of sbatch, e.g. --time=1:00:00; repeatable')
        .argParser((text: string, all: readonly string[]) => [...all, text])
        .default([], 'none'),
    )
    .addOption(metricOption())
    .option('--no-wait', 'slurm: only submit; the same command later merges what is finished')
    .addHelpText('after', HELP)
    .action((file: string, options: SweepCommandOptions) => run(context(), file, options));
}

const HELP = `
A run is addressed by the SHA-256 of its resolved options, its input files and the code: what was computed once is
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
  }

Examples:
  $ dllm-npu sweep experiments/sweeps/rows.json
  $ dllm-npu sweep big.json --shard 3/16         the third of sixteen parts, on any machine
  $ dllm-npu sweep big.json --launcher slurm --shards 16 --slurm=--time=1:00:00
  $ dllm-npu results export --sweep big.json --format csv > big.csv`;

function parseShard(text: string): Shard {
  const match = /^(\d+)\/(\d+)$/.exec(text.trim());
  const [shard, shards] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || shard < 1 || shard > shards) {
    throw new InvalidArgumentError('Expected I/N with I from 1 to N, e.g. 3/16.');
  }
  return { shard, shards };
}

async function run(ctx: Context, file: string, options: SweepCommandOptions): Promise<void> {
  const { readSweep } = await import('../../experiments/lab/sweep-file.js');
  const { planSweep, shardOf } = await import('../../experiments/lab/plan.js');
  const { ResultStore } = await import('../../experiments/lab/store.js');
  const { readMetrics } = await import('../../experiments/lab/metric.js');
  // A metric that cannot be read is refused now and not after the work; which columns there are, the runs say.
  await readMetrics(options.metric);
  const { makeRuns } = await import('../../experiments/lab/runner.js');
  const all = await planSweep(readSweep(file));
  const runs = options.shard === undefined ? all : shardOf(all, options.shard.shard, options.shard.shards);
  const store = new ResultStore(resultsDirectory(options.results));
  if (options.dryRun) {
    const missing = runs.filter(({ hash }) => !store.has(hash));
    ctx.data({ runs: runs.map(({ hash, config }) => ({ hash, found: store.has(hash), config })) });
    ctx.print(`${runs.length} runs, ${missing.length} of them not in ${store.directory}`);
    return;
  }
  checkWritableDirectory(store.directory);
  if (options.launcher === 'slurm') {
    await runOnSlurm(ctx, runs, store, options);
    return;
  }
  const bar = progressBar(ctx, 'runs', { log: true });
  const start = performance.now();
  const outcome = await makeRuns(runs, store, {
    jobs: options.jobs,
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(done, total),
    gitCommit: gitCommit(),
  }).finally(() => bar.stop());
  const seconds = (performance.now() - start) / 1000;
  const wanted = new Set(runs.map(({ hash }) => hash));
  const stored = options.metric.length === 0 ? [] : store.index().filter(({ hash }) => wanted.has(hash));
  const listed = await listRuns(store, stored, options.metric);
  const metrics = listed.map(({ hash, metrics }) => ({ hash, ...metrics }));
  ctx.data({
    results: store.directory,
    runs: [...wanted],
    ...outcome,
    metrics: options.metric.length === 0 ? undefined : metrics,
  });
  if (listed.length > 0) await printRuns(ctx, listed);
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

async function runOnSlurm(
  ctx: Context,
  runs: readonly PlannedRun[],
  store: ResultStore,
  options: SweepCommandOptions,
): Promise<void> {
  const { mergeSlurmJob, mergeFinished, submitSlurmJob, writeSlurmJob } = await import(
    '../../experiments/lab/slurm.js'
  );
  const merged = mergeFinished(store);
  if (merged > 0) ctx.note(`${merged} runs of earlier jobs taken over`);
  const missing = runs.filter(({ hash }) => !store.has(hash));
  const found = runs.length - missing.length;
  if (missing.length === 0) {
    ctx.data({ results: store.directory, runs: runs.map(({ hash }) => hash), found, done: 0 });
    ctx.print(`${runs.length} runs: ${found} were there, 0 made`);
    return;
  }
  const job = writeSlurmJob(missing, store, {
    shards: options.shards,
    jobs: options.jobs,
    directives: options.slurm,
    program: [process.execPath, process.argv[1]],
  });
  ctx.note(`${missing.length} runs in ${job.shards} tasks: ${job.script}`);
  const { id, ok } = await submitSlurmJob(job, options.wait, {
    signal: ctx.signal,
    onSubmit: (number) => ctx.note(`submitted as job ${number} (scancel ${number} ends it)`),
  });
  if (!options.wait) {
    ctx.data({ results: store.directory, job: id, script: job.script, found });
    ctx.print(`job ${id} submitted; the same command later takes over what is finished`);
    return;
  }
  if (!ok) ctx.note(`job ${id}: not every task ended well`);
  const done = mergeSlurmJob(job, store, missing);
  ctx.data({ results: store.directory, runs: runs.map(({ hash }) => hash), job: id, found, done });
  ctx.print(`${runs.length} runs: ${found} were there, ${done} made by job ${id}`);
}
