import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ResultStore } from '../../../experiments/lab/store.js';
import { builtProgram } from '../../support/built-program.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** The built program: only it has worker threads. */
let main = '';
beforeAll(async () => {
  main = join(await builtProgram(), 'cli', 'main.js');
});

function start(results: string, jobs: number): { child: ChildProcess; table: string } {
  const table = join(results, 'table.json');
  const policies = 'block-kv,llada.cpp';
  const args = `--n 2 --gen-length 32 --policies ${policies} --jobs ${jobs}`.split(' ');
  const child = spawn(process.execPath, [main, 'quality', ...args, '--results', results, '--out', table], {
    stdio: 'ignore',
  });
  return { child, table };
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.once('exit', (code) => resolve(code));
  });

const written = (store: ResultStore): string[] =>
  store.hashes().map((hash) => {
    const { ino, mtimeMs } = statSync(join(store.directory, hash.slice(0, 2), `${hash}.json`));
    return `${hash} ${ino} ${mtimeMs}`;
  });

// Starts the program three times, each with a model: a minute on a busy machine.
describe('a study', { timeout: 400_000 }, () => {
  it('gives the same with and without threads, and after a kill makes only what is missing', async () => {
    const alone = start(temporaryDirectory(), 0);
    expect(await ended(alone.child)).toBe(0);
    const whole = new ResultStore(dirname(alone.table));

    const store = new ResultStore(temporaryDirectory());
    const killed = start(store.results, 2);
    while (killed.child.exitCode === null && store.hashes().length < 1) await sleep(2);
    killed.child.kill('SIGKILL');
    await ended(killed.child);
    const kept = written(store);
    expect(kept.length).toBeGreaterThan(0);

    const resumed = start(store.results, 2);
    expect(await ended(resumed.child)).toBe(0);
    expect(store.hashes()).toHaveLength(4);
    expect(written(store)).toEqual(expect.arrayContaining(kept));
    for (const hash of whole.hashes()) expect(store.bytes(hash)).toBe(whole.bytes(hash));
    expect(readFileSync(resumed.table, 'utf8')).toBe(readFileSync(alone.table, 'utf8'));
  });
});
