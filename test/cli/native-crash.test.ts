import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { hasGgml } from '../../src/engine/ggml/package.js';
import { builtProgram } from '../support/built-program.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const RUNS = 3;

/** A worker of the sweep that has ggml in memory. */
function workerWithGgml(parent: number): number | null {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      if (!status.includes(`PPid:\t${parent}\n`)) continue;
      if (readFileSync(`/proc/${name}/maps`, 'utf8').includes('libggml-cpu')) return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  return null;
}

/** Runs a command line of the built program; kills the process it computes in when it has ggml, as a fault there would. */
async function run(args: readonly string[], crash: boolean) {
  const program = join(await builtProgram(), 'cli', 'main.js');
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let worker: number | null = null;
  while (crash && worker === null && child.exitCode === null) {
    worker = workerWithGgml(child.pid!);
    await sleep(5);
  }
  if (worker !== null) process.kill(worker, 'SIGSEGV');
  return { code: await ended, stdout, stderr, worker };
}

describe.skipIf(!hasGgml() || !existsSync('/proc/self/maps'))('a crash inside ggml', () => {
  it('costs a sweep one run; the others are made, and the next call makes that one', async () => {
    const directory = temporaryDirectory();
    const file = join(directory, 'sweep.json');
    const base = { workload: 'tiny-llada', engine: 'ggml', policy: 'llada', genLength: 16, cases: 1 };
    const axes = { firstCase: { from: 0, to: RUNS - 1 } };
    writeFileSync(file, JSON.stringify({ schema: 'dllm-npu/sweep@1', kind: 'decode', base, axes }));
    const args = ['sweep', file, '--results', join(directory, 'results'), '--json', '--jobs'];
    const first = await run([...args, '2'], true);
    expect(first.worker).not.toBeNull();
    expect(first.stderr).toMatch(/native library crashed or it was killed/);
    expect(first.code).not.toBe(0);
    const kept = readdirSync(join(directory, 'results'), { recursive: true }).filter((name) =>
      /[0-9a-f]{64}\.json$/.test(String(name)),
    );
    expect(kept).toHaveLength(RUNS - 1);
    const second = await run([...args, '1'], false);
    expect(second.code).toBe(0);
    expect(JSON.parse(second.stdout)).toMatchObject({ found: RUNS - 1, done: 1 });
  });

  it('ends the measured ladder in one line, exit code 3', async () => {
    const quick = ['--threads', '1', '--gen-length', '64', '--out', temporaryDirectory()];
    const { code, stderr, worker } = await run(['ablate', '--engine', 'ggml', ...quick], true);
    expect(worker).not.toBeNull();
    expect(code).toBe(3);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^error: llada on cpu: the process ended while it computed: a native library crashed, or it was killed\. Run it again/,
    );
  });
});
