import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { quoteForShell } from '../../hw/runner/shell-quote.js';
import { CheckError, EnvironmentError, UsageError } from '../../src/errors.js';
import { atomicWriteFile } from '../../src/util/atomic-write.js';
import { contentHash } from './canonical.js';
import { mergeStores } from './merge.js';
import type { PlannedRun } from './plan.js';
import { ResultStore } from './store.js';
import { SWEEP_SCHEMA } from './sweep-file.js';

export interface SlurmOptions {
  /** Tasks of the array job. */
  readonly shards: number;
  /** Worker threads, and CPUs asked for, per task. */
  readonly jobs: number;
  /** Further lines for sbatch, e.g. `--partition=long`, `--time=1:00:00`. */
  readonly directives: readonly string[];
  /** How to start this program on a node of the cluster. */
  readonly program: readonly string[];
}

/** An array job, written and ready to be submitted. Its directory must be seen by all nodes. */
export interface SlurmJob {
  readonly directory: string;
  readonly script: string;
  readonly shards: number;
}

/**
 * Writes the missing runs as a sweep file of their own (what is edited later changes no job) and the sbatch script
 * that makes one shard of it per array task, each into a store of its own.
 */
export function writeSlurmJob(
  missing: readonly PlannedRun[],
  store: ResultStore,
  options: SlurmOptions,
): SlurmJob {
  const [first] = missing;
  if (first === undefined) throw new UsageError('no run is missing: there is nothing to submit');
  const shards = Math.min(options.shards, missing.length);
  const id = contentHash(missing.map(({ hash }) => hash)).slice(0, 12);
  const directory = resolve(store.results, 'slurm', id);
  mkdirSync(directory, { recursive: true });
  const sweep = { schema: SWEEP_SCHEMA, kind: first.kind, runs: missing.map(({ config }) => config) };
  const file = join(directory, 'sweep.json');
  atomicWriteFile(file, `${JSON.stringify(sweep, null, 1)}\n`);
  const script = join(directory, 'job.sh');
  atomicWriteFile(script, sbatchScript({ directory, file, shards, id }, options));
  return { directory, script, shards };
}

function sbatchScript(
  job: { readonly directory: string; readonly file: string; readonly shards: number; readonly id: string },
  { jobs, directives, program }: SlurmOptions,
): string {
  const wrong = directives.find((line) => !/^--?[a-zA-Z][^\n]*$/.test(line));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no option of sbatch: expected --name=value`);
  const own = [
    `--job-name=dllm-npu-${job.id}`,
    `--array=1-${job.shards}`,
    `--cpus-per-task=${Math.max(1, jobs)}`,
    `--output=${logPattern(job.directory)}`,
  ];
  return [
    '#!/usr/bin/env bash',
    ...[...own, ...directives].map((line) => `#SBATCH ${line}`),
    'set -euo pipefail',
    `exec ${program.map(quoteForShell).join(' ')} sweep ${quoteForShell(job.file)} \\`,
    `  --shard "$SLURM_ARRAY_TASK_ID/${job.shards}" --jobs ${jobs} \\`,
    `  --results ${quoteForShell(join(job.directory, 'shard-'))}"$SLURM_ARRAY_TASK_ID"`,
    '',
  ].join('\n');
}

/**
 * Name of the log of each task, as sbatch reads it in a script: it splits at spaces unless they are quoted, takes the
 * character behind a backslash as it is, and replaces what stands behind a percent sign (sbatch(1), "filename pattern").
 * @throws UsageError for a directory that no pattern can name
 */
function logPattern(directory: string): string {
  if (/[\\\n]/.test(directory))
    throw new UsageError(
      `Slurm cannot write logs to ${JSON.stringify(directory)}: choose --results without backslashes and line breaks`,
    );
  const name = join(directory.replaceAll('%', '%%'), 'task-%a.log');
  return `"${name.replaceAll('"', '\\"')}"`;
}

/**
 * Hands a job to Slurm.
 * @param wait until every task has ended
 * @returns the job's number, and whether every task ended well (true without waiting)
 * @throws EnvironmentError when there is no sbatch or it refuses the job
 */
export async function submitSlurmJob(
  job: SlurmJob,
  wait: boolean,
  hooks: { readonly onSubmit?: (id: string) => void; readonly signal?: AbortSignal } = {},
): Promise<{ id: string; ok: boolean }> {
  const child = spawn('sbatch', ['--parsable', ...(wait ? ['--wait'] : []), job.script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: hooks.signal,
  });
  let out = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const before = numberOf(out);
    out += chunk.toString();
    const id = numberOf(out);
    if (before === '' && id !== '') hooks.onSubmit?.(id);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const code = await exitCode(child);
  const id = numberOf(`${out}\n`);
  if (id === '' && code === 0)
    throw new EnvironmentError(
      `sbatch names no job in what it says ("${out.trim().slice(0, 200)}"): look for it with squeue before you submit again`,
    );
  if (id === '') throw new EnvironmentError(`sbatch refused the job: ${complaint.trim() || `exit ${code}`}`);
  return { id, ok: code === 0 };
}

/** A line `number` or `number;cluster`, as `--parsable` has it, or the sentence of an sbatch that does not know the option. */
const numberOf = (out: string): string =>
  /^(?:Submitted batch job )?(\d+)(?:;\S+)?(?: on cluster \S+)?\s*\n/m.exec(out)?.[1] ?? '';

function exitCode(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(
        missing ? new EnvironmentError('sbatch not found: is this a login node of a Slurm cluster?') : error,
      );
    });
  });
}

/** Takes over what the jobs of a store have finished so far. @returns runs that were new */
export function mergeFinished(store: ResultStore): number {
  const jobs = resolve(store.results, 'slurm');
  if (!existsSync(jobs)) return 0;
  return readdirSync(jobs).reduce((sum, name) => sum + mergeShards(join(jobs, name), store), 0);
}

function mergeShards(directory: string, store: ResultStore): number {
  const shards = readdirSync(directory).filter((name) => /^shard-\d+$/.test(name));
  return mergeStores(
    store,
    shards.map((name) => new ResultStore(join(directory, name))),
  ).added;
}

/**
 * Takes the shards of a finished job into the store. Shards that were cut off count with what they have.
 * @throws CheckError for two different results of one run, or runs that are still missing
 */
export function mergeSlurmJob(
  job: Pick<SlurmJob, 'directory'>,
  store: ResultStore,
  wanted: readonly PlannedRun[],
): number {
  const added = mergeShards(job.directory, store);
  const missing = wanted.filter(({ hash }) => !store.has(hash)).length;
  if (missing > 0) {
    throw new CheckError(
      `${missing} of ${wanted.length} runs are missing; ${added} were taken over. ` +
        `The tasks' logs are in ${job.directory}; the same command submits what is missing`,
    );
  }
  return added;
}
