import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { ResultStore } from '../../../experiments/lab/store.js';
import { SWEEP_SCHEMA } from '../../../experiments/lab/sweep-file.js';
import { Random } from '../../../src/score/random.js';
import { builtProgram } from '../../support/built-program.js';
import { type Answered, commandLines } from '../../support/command-lines.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** The built program: a kill must hit real worker threads and real writes. */
let main = '';
beforeAll(async () => {
  main = join(await builtProgram(), 'cli', 'main.js');
});

/** A sweep in two threads, which is to be killed. */
function start(file: string, results: string): ChildProcess {
  const args = [main, 'sweep', file, '--results', results, '--jobs', '2'];
  return spawn(process.execPath, args, { stdio: 'ignore' });
}

/** Sweeps that nobody kills, without threads, one after the other in one process. */
function runAll(sweeps: readonly (readonly string[])[]): void {
  const commands = sweeps.map((asked) => ['sweep', ...asked, '--jobs', '0']);
  const program = commandLines(join(dirname(main), 'run.js'), commands);
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  const answers = JSON.parse(stdout) as Answered[];
  expect(answers.map(({ code }) => code)).toEqual(sweeps.map(() => 0));
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    child.once('exit', (code) => resolve(code));
  });

/** Waits until the store holds more than `count` runs, or the process has ended. */
async function moreThan(store: ResultStore, count: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null && store.hashes().length <= count) await sleep(2);
}

const stamps = (store: ResultStore): Map<string, string> =>
  new Map(
    store.hashes().map((hash) => {
      const { ino, mtimeMs } = statSync(join(store.directory, hash.slice(0, 2), `${hash}.json`));
      return [hash, `${ino} ${mtimeMs}`];
    }),
  );

// Half a dozen starts of the program: seconds on a quiet machine, a minute on a busy one. `npm run stress` kills hundreds of times.
describe('a sweep that is killed', { timeout: 400_000 }, () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'sweep.json');
  const RUNS = 30;
  writeFileSync(
    file,
    JSON.stringify({
      schema: SWEEP_SCHEMA,
      kind: 'step',
      base: { costModel: 'tinyllama-1.1b' },
      axes: { rows: { from: 1, to: RUNS / 2 }, memory: ['somr', 'unlimited'] },
    }),
  );

  const whole = new ResultStore(join(directory, 'whole'));
  const parts = new ResultStore(join(directory, 'parts'));
  beforeAll(() => {
    const shard = (which: string) => [file, '--results', parts.results, '--shard', which];
    runAll([[file, '--results', whole.results], shard('1/2'), shard('2/2')]);
    expect(whole.hashes()).toHaveLength(RUNS);
  });

  it('loses nothing and makes nothing twice, at whatever moment', async () => {
    const random = new Random(7);

    const killed = new ResultStore(join(directory, 'killed'));
    let kills = 0;
    for (;;) {
      const before = stamps(killed);
      const child = start(file, killed.results);
      // Some runs further on, and then anywhere inside the next ones.
      await moreThan(killed, before.size + random.integer(9, 13), child);
      await sleep(random.integer(0, 8));
      child.kill('SIGKILL');
      const code = child.exitCode ?? (await ended(child));
      const after = stamps(killed);
      for (const [hash, stamp] of before) expect(after.get(hash)).toBe(stamp);
      if (code === 0) break;
      kills += 1;
      expect(kills).toBeLessThan(100);
    }
    expect(kills).toBeGreaterThan(1);
    expect(killed.hashes()).toEqual(whole.hashes());
    for (const hash of whole.hashes()) expect(killed.bytes(hash)).toBe(whole.bytes(hash));
    killed.index();
    const lines = readFileSync(join(killed.directory, 'index.jsonl'), 'utf8').trimEnd().split('\n');
    expect(new Set(lines.map((line) => JSON.parse(line).hash)).size).toBe(RUNS);
    expect(lines).toHaveLength(RUNS);
  });

  it('in shards gives the same runs', () => {
    expect(parts.hashes()).toEqual(whole.hashes());
    for (const hash of whole.hashes()) expect(parts.bytes(hash)).toBe(whole.bytes(hash));
  });
});
