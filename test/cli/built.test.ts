import { spawn, spawnSync } from 'node:child_process';
import { existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtProgram } from '../support/built-program.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

let program = '';
beforeAll(async () => {
  program = join(await builtProgram(), 'cli', 'main.js');
});

const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });

describe('the built program', () => {
  it('answers with data on standard output and exit codes a shell can use', () => {
    const steps = run('simulate', 'step', '--rows', '32', '--json');
    expect(JSON.parse(steps.stdout)).toMatchObject({ rows: [{ rows: 32 }] });
    expect(steps.stderr).toBe('');
    expect(steps.status).toBe(0);
    expect(run('nonsense').status).toBe(2);
    expect(run('trace', 'show', '/nonexistent').status).toBe(3);
  });

  it('decodes', () => {
    const { status, stdout, stderr } = run('generate', '--problem', '0', '--policy', 'threshold', '--json');
    expect(stderr).toBe('');
    expect((JSON.parse(stdout) as { tokens: number[] }).tokens).toHaveLength(128);
    expect(status).toBe(0);
  });

  it('trains', () => {
    const { status, stderr } = run('train', '--steps', '1', '--batch', '1', '--hidden', '4', '--heads', '1');
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('stops at Ctrl-C with 130 and leaves nothing', async () => {
    const directory = temporaryDirectory();
    const args = [
      'generate',
      '--problem',
      '0',
      '--policy',
      'llada',
      '--watch',
      '--trace',
      join(directory, 't.jsonl'),
    ];
    const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    child.stdout.once('data', () => child.kill('SIGINT'));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    expect(stderr).toContain('interrupted');
    expect(readdirSync(directory)).toEqual([]);
  });

  it('ends with 3 and without a word when its reader leaves early', async () => {
    const child = spawn(process.execPath, [program, 'policies', '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (text: Buffer) => {
      stderr += text.toString();
    });
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toBe('');
    expect(code).toBe(3);
  });

  it.skipIf(!existsSync('/dev/full'))('says that standard output is full, exit 3', () => {
    const full = openSync('/dev/full', 'w');
    const args = [program, 'hardware', 'stacks', '--json'];
    const { status, stderr } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    expect(stderr).toMatch(/^error: cannot write standard output: ENOSPC/);
    expect(status).toBe(3);
  });
});
