import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from '../../src/util/project-root.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

interface Entry {
  value: string;
  kind: string;
  range?: [string, string];
}
type Profile = Record<string, Record<string, Entry>>;

const shipped = readFileSync(join(project().root, 'sim', 'hardware', 'profiles', 'sm8750.json'), 'utf8');

/** Path of the shipped profile with one number changed. */
function profileWith(section: string, field: string, change: Partial<Entry>): string {
  const profile = JSON.parse(shipped) as Profile;
  const entry = profile[section]?.[field];
  if (entry === undefined) throw new Error(`${section}.${field} is not in the profile`);
  delete entry.range;
  Object.assign(entry, change);
  const path = join(temporaryDirectory(), 'mine.json');
  writeFileSync(path, JSON.stringify(profile));
  return path;
}

const windowOf = (bytes: string): string => profileWith('window', 'bytes', { value: bytes, kind: 'vendor' });

async function refused(argv: readonly string[], code: number, message: RegExp): Promise<void> {
  const result = await cli(argv);
  expect(result.stderr).toMatch(message);
  expect(result.stderr.trim().split('\n')).toHaveLength(1);
  expect(result).toMatchObject({ code, stdout: '' });
}

describe('a wrong profile is refused by the name of the number, exit 1', () => {
  const commands = [
    ['hardware', 'show'],
    ['simulate', 'step', '--profile'],
    ['explain', '--profile'],
  ];
  it.each([
    ['a missing unit', { value: '32' }, /mine\.json: npu\.dmaRate: "32" has no unit/],
    ['a negative rate', { value: '-32 GB/s' }, /npu\.dmaRate: "-32 GB\/s" is negative/],
    ['a rate of zero', { value: '0 GB/s' }, /npu\.dmaRate: "0 GB\/s" is zero/],
    ['an unknown kind', { kind: 'guessed' }, /npu\.dmaRate\.kind: "guessed" is not a kind \(measured, /],
    ['a wrong dimension', { value: '32 us' }, /npu\.dmaRate: "32 us" has the wrong dimension/],
  ])('%s', async (_what, change, message) => {
    const path = profileWith('npu', 'dmaRate', change);
    for (const command of commands) await refused([...command, path], 1, message);
  });
});

describe('a model that cannot fit: which tensor, and by how much, exit 2', () => {
  const modes = ['on-demand', 'paging', 'somr', 'somr --placement alternating'];

  it.each(modes)('%s', async (mode) => {
    const step = ['simulate', 'step', '--rows', '32', '--memory', ...mode.split(' ')];
    // Smaller than one tensor, than what a step needs of them at once, than KV cache and activations.
    const tensor = /blk\.0\.ffn_gate\.weight \(27 MiB\) is 7 MiB larger than an address window of 20 MiB/;
    await refused([...step, '--profile', windowOf('20 MiB')], 2, tensor);
    const beside =
      /does not fit the address window of 160 MiB, [\d.]+ [KM]iB missing: .*; the largest is KV cache: it grows/;
    await refused([...step, '--profile', windowOf('160 MiB')], 2, beside);
    const region =
      /(KV cache|activations|blk\.0\.ffn_\w+\.weight) \(?[\d.]+ MiB.* (missing|larger)|[\d.]+ MiB missing: .*KV cache/;
    await refused([...step, '--profile', windowOf('100 MiB')], 2, region);
  });

  it('every command that times says so', async () => {
    const profile = windowOf('20 MiB');
    for (const command of [
      'memory plan',
      'explain',
      'simulate prefill',
      'simulate decode',
      'simulate sensitivity',
    ])
      await refused([...command.split(' '), '--profile', profile], 2, /ffn_gate\.weight .* larger than/);
  });
});

interface Written {
  readonly file: string;
  readonly totalMs: number;
}

describe('the answer does not depend on a timeline that is written', () => {
  async function step(...argv: string[]) {
    const small = ['--rows', '32,64', '--model', 'tinyllama-1.1b'];
    const { stdout, code } = await cli(['simulate', 'step', ...small, ...argv, '--json']);
    expect(code).toBe(0);
    return JSON.parse(stdout) as { rows: { ms: number }[]; perfetto?: Written };
  }
  const trace = join(temporaryDirectory(), 'step.json');
  const setting = ['--stack', 'llama.cpp-hexagon', '--memory', 'on-demand'];

  it('neither of the first step nor of the steady one', async () => {
    const { perfetto, rows } = await step(...setting, '--perfetto', trace);
    expect(rows).toEqual((await step(...setting)).rows);
    const events = (
      JSON.parse(readFileSync(trace, 'utf8')) as { traceEvents: { ts?: number; dur?: number }[] }
    ).traceEvents;
    const endMs = events.reduce((last, { ts = 0, dur = 0 }) => Math.max(last, (ts + dur) / 1000), 0);
    expect(perfetto?.totalMs).toBeCloseTo(endMs, 3);
    expect(perfetto?.totalMs).toBeGreaterThanOrEqual(rows[1].ms);
  });
});

describe('--fidelity', () => {
  it('is refused with the reason', async () => {
    await refused(['simulate', 'step', '--fidelity', 'analytic'], 2, /one machine model/);
  });
});

describe('a smaller window that would be faster', () => {
  it('is named by simulate step and memory plan', async () => {
    const argv = ['--profile', windowOf('1600 MiB'), '--context', '80'];
    const step = await cli(['simulate', 'step', '--rows', '32', ...argv]);
    expect(step.stdout).toMatch(
      /note: 32 rows would take [\d.]+ instead of [\d.]+ ms in an address window of 1500 MiB/,
    );
    const plan = await cli(['memory', 'plan', ...argv]);
    expect(plan.stdout).toMatch(/note: the step would take/);
    const { rows } = JSON.parse(
      (await cli(['simulate', 'step', '--rows', '32', ...argv, '--json'])).stdout,
    ) as {
      rows: { ms: number; fasterWindow: { bytes: number; ms: number } | null }[];
    };
    expect(rows[0]?.fasterWindow?.bytes).toBe(1500 * 2 ** 20);
    expect(rows[0]?.fasterWindow?.ms).toBeLessThan(rows[0]?.ms ?? 0);
  });

  it('is not named where there is none', async () => {
    const { stdout } = await cli(['simulate', 'step', '--rows', '32', '--json']);
    expect((JSON.parse(stdout) as { rows: { fasterWindow: unknown }[] }).rows[0]?.fasterWindow).toBeNull();
  });
});
