import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planRuns, planSweep } from '../../../experiments/lab/plan.js';
import { makeRuns } from '../../../experiments/lab/runner.js';
import {
  mergeFinished,
  mergeSlurmJob,
  submitSlurmJob,
  writeSlurmJob,
} from '../../../experiments/lab/slurm.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { readSweep } from '../../../experiments/lab/sweep-file.js';
import { CheckError, EnvironmentError, UsageError } from '../../../src/errors.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

// A real Slurm: npm run test:slurm.
const OPTIONS = {
  shards: 3,
  jobs: 2,
  directives: ['--time=1:00:00'],
  program: ['node', "it's here/main.js"],
};
const setUp = async () => {
  const store = new ResultStore(join(temporaryDirectory(), 'with a space'));
  const configs = [1, 2, 3, 4].map((rows) => ({ rows, costModel: 'tinyllama-1.1b' }));
  const runs = await planRuns('step', configs);
  return { store, runs, job: writeSlurmJob(runs, store, OPTIONS) };
};

/** Words of an #SBATCH line as sbatch's get_argument splits it (src/sbatch/opt.c of Slurm). */
function sbatchWords(line: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  for (let i = '#SBATCH'.length; i < line.length; i++) {
    const character = line[i];
    if (character === '\\') word += line[++i];
    else if (quote !== '' && character === quote) quote = '';
    else if (quote === '' && /["']/.test(character)) quote = character;
    else if (quote !== '' || !/\s/.test(character)) word += character;
    else if (word !== '') words.push(word.slice(0));
    if (quote === '' && /\s/.test(character)) word = '';
  }
  return word === '' ? words : [...words, word];
}

describe('slurm job', () => {
  it('is a script that bash accepts, one shard per task', async () => {
    const { job } = await setUp();
    const script = readFileSync(job.script, 'utf8');
    expect(spawnSync('bash', ['-n', job.script]).status).toBe(0);
    expect(script).toContain('#SBATCH --array=1-3\n');
    expect(script).toContain('#SBATCH --cpus-per-task=2\n');
    expect(script).toContain('#SBATCH --time=1:00:00\n');
    expect(script).toContain(`'it'\\''s here/main.js' sweep`);
    expect(script).toContain('--shard "$SLURM_ARRAY_TASK_ID/3"');
  });

  it('names its logs as sbatch reads a line: spaces, quotes, comment and percent signs are part of the name', async () => {
    const results = join(temporaryDirectory(), `my "results" #2, it's 100%`);
    const runs = await planRuns('step', [{ rows: 1, costModel: 'tinyllama-1.1b' }]);
    const job = writeSlurmJob(runs, new ResultStore(results), OPTIONS);
    const line = readFileSync(job.script, 'utf8')
      .split('\n')
      .find((it) => it.includes('--output'));
    expect(sbatchWords(line ?? '')).toEqual([`--output=${job.directory.replace('%', '%%')}/task-%a.log`]);
    const backslash = new ResultStore(join(results, 'a\\b'));
    expect(() => writeSlurmJob(runs, backslash, OPTIONS)).toThrow(/without backslashes/);
  });

  it('freezes the runs: the file beside it plans the same ones', async () => {
    const { runs, job } = await setUp();
    const frozen = await planSweep(readSweep(join(job.directory, 'sweep.json')));
    expect(frozen.map(({ hash }) => hash)).toEqual(runs.map(({ hash }) => hash));
  });

  it('merges its shards and says what is missing', async () => {
    const { store, runs, job } = await setUp();
    const shard = (n: number) => new ResultStore(join(job.directory, `shard-${n}`));
    await makeRuns(runs.slice(0, 2), shard(1), { jobs: 0 });
    expect(() => mergeSlurmJob(job, store, runs)).toThrow(CheckError);
    expect(store.hashes()).toHaveLength(2);
    await makeRuns(runs.slice(2), shard(2), { jobs: 0 });
    expect(mergeFinished(store)).toBe(2);
    expect(mergeSlurmJob(job, store, runs)).toBe(0);
  });

  it('takes over what its tasks made, and nothing else that lies beside it', async () => {
    const { store, runs, job } = await setUp();
    const beside = (name: string) => new ResultStore(join(job.directory, name));
    await makeRuns(runs.slice(0, 1), beside('shard-1'), { jobs: 0 });
    await makeRuns(runs.slice(1, 2), beside('shard-1.old'), { jobs: 0 });
    await makeRuns(runs.slice(2, 3), beside('my-shard-2'), { jobs: 0 });
    expect(mergeFinished(store)).toBe(1);
    expect(store.hashes()).toEqual([runs[0].hash]);
  });

  it('has no more tasks than runs, and refuses what sbatch would not understand', async () => {
    const { store, runs, job } = await setUp();
    expect(writeSlurmJob(runs, store, { ...OPTIONS, shards: 99 }).shards).toBe(4);
    expect(() => writeSlurmJob([], store, OPTIONS)).toThrow(UsageError);
    for (const bad of ['time=1', '--a\nrm -rf x']) {
      expect(() => writeSlurmJob(runs, store, { ...OPTIONS, directives: [bad] })).toThrow(UsageError);
    }
    const path = process.env.PATH;
    process.env.PATH = '/nowhere';
    await expect(submitSlurmJob(job, false)).rejects.toThrow(EnvironmentError);
    process.env.PATH = path;
  });

  it.each([
    ['12345', '12345'],
    ['12345;cluster', '12345'],
    ['Submitted batch job 12345', '12345'],
    ['Submitted batch job 12345 on cluster c1', '12345'],
    ['Welcome.\n12345', '12345'],
  ])('knows its number by what sbatch says: %j', async (said, number) => {
    const { job } = await setUp();
    await withSbatch(`cat <<'END'\n${said}\nEND`, async () => {
      const told: string[] = [];
      expect(await submitSlurmJob(job, false, { onSubmit: (id) => told.push(id) })).toEqual({
        id: number,
        ok: true,
      });
      expect(told).toEqual([number]);
    });
  });

  it('that was handed over and not named is no refusal', async () => {
    const { job } = await setUp();
    await withSbatch('echo queued', async () => {
      await expect(submitSlurmJob(job, false)).rejects.toThrow(
        /names no job in what it says \("queued"\).*squeue/,
      );
    });
    await withSbatch('echo no account >&2; exit 1', async () => {
      await expect(submitSlurmJob(job, false)).rejects.toThrow(/sbatch refused the job: no account/);
    });
  });
});

/** Runs something with a shell script in place of sbatch. */
async function withSbatch(script: string, use: () => Promise<void>): Promise<void> {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'sbatch'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const path = process.env.PATH;
  process.env.PATH = `${directory}:${path}`;
  try {
    await use();
  } finally {
    process.env.PATH = path;
  }
}
